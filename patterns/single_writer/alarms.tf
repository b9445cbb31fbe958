# What a person would be woken for, beside the errors and throttles that each function and table is watched for.

resource "aws_cloudwatch_metric_alarm" "lag" {
  alarm_name          = "${module.identity.name}-lag"
  alarm_description   = "Events stored ${var.max_lag_seconds} s ago are not in the log: the sequencer fails, or is too slow."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = module.store.sequencer }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.max_lag_seconds * 1000
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "${module.identity.name}-failures"
  alarm_description   = "Something was set aside: an aggregate cannot go on in the log, or what is no event was put into the table."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = module.store.failures.name }
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
