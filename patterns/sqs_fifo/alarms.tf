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
    failures = {
      description = "Something was set aside: an aggregate cannot go on in the log, or what is no event was put into the table."
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
