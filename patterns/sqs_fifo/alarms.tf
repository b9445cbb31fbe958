# What a person would be woken for, beside the errors and throttles that each function and table is watched for.

locals {
  alarms = {
    relay-lag = {
      description = "Records of the stream wait for more than ${var.max_lag_seconds} s: the relay fails, or is too slow."
      namespace   = "AWS/Lambda"
      metric      = "IteratorAge"
      dimensions  = { FunctionName = module.relay.function_name }
      threshold   = var.max_lag_seconds * 1000
    }
    lag = {
      description = "Doorbells wait for more than ${var.max_lag_seconds} s: the sequencer fails, or is too slow."
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.doorbells.name }
      threshold   = var.max_lag_seconds
    }
    dead-letters = {
      description = "There are doorbells that cannot be met: an aggregate is missing from the log."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
      threshold   = 0
    }
    failures = {
      description = "Lambda has given up relaying records of the stream: the sweep must find their events."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = module.store.failures.name }
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${module.identity.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
