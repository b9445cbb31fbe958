# A subscription on any pattern: every event to one target, as a CloudEvent, and to the dead letters what the target refuses.

locals {
  permissions = {
    events = ["events:PutEvents"]
    # AWS authorises a batch as SendMessage (sqs developerguide, api permissions reference, read 2026-11), the local AWS by its own name.
    sqs    = ["sqs:SendMessage", "sqs:SendMessageBatch", "sqs:GetQueueUrl"]
    lambda = ["lambda:InvokeFunction"]
  }
}

module "subscription" {
  source = "../projection"

  name       = var.name
  projection = var.name
  store      = var.store
  package    = var.package
  handler    = "lambdas.projections.push_lambda.handler"

  environment = {
    NAME         = var.name
    TARGET       = var.target
    SOURCE       = var.event_source
    EVENT_TYPES  = jsonencode(var.event_types)
    DEAD_LETTERS = aws_sqs_queue.dead_letters.url
  }
  statements = [
    { actions = local.permissions[split(":", var.target)[2]], resources = [var.target] },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.dead_letters.arn] },
  ]

  deletion_protection = var.deletion_protection
  function_settings   = var.function_settings
  kms_key_arn         = var.kms_key_arn
  alarm_actions       = var.alarm_actions
  tags                = var.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * 24 * 60 * 60
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null # one or the other
  tags                      = var.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "The target of ${var.name} has refused events: each dead letter says why."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
