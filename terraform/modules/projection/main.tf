# A projection on any pattern: its table, the function that keeps it up to date, what wakes that, and alarms.

locals {
  operations = ["get_aggregate_events", "get_all_events"]

  environment = merge(var.environment, {
    READ_MODEL = module.read_model.name
    STORE = jsonencode({
      pattern      = var.store.pattern
      environments = { for operation in local.operations : operation => var.store.environments[operation] }
      late_seconds = var.store.late_seconds
    })
  })

  statements = concat(distinct(flatten([for operation in local.operations : var.store.statements[operation]])), var.statements, [{
    # PutItem and DeleteItem are also what those of a transaction are authorised by.
    actions = [
      "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan",
      "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
    ]
    resources = [module.read_model.arn]
  }])
}

module "read_model" {
  source = "../dynamodb_table"

  name      = var.name
  hash_key  = { name = "partition", type = "S" }
  range_key = { name = "sort", type = "S" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = false # it can be rebuilt from the events
  kms_key_arn            = var.kms_key_arn
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "function" {
  source = "../lambda_function"

  name        = var.name
  description = "Brings the events into the read model ${var.name}, each exactly once."
  service     = var.name
  package     = var.package
  handler     = var.handler
  timeout     = var.timeout
  statements  = local.statements
  environment = local.environment

  function_settings = var.function_settings
  kms_key_arn       = var.kms_key_arn
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}

resource "aws_cloudwatch_event_rule" "this" {
  name                = var.name
  description         = "Brings the read model up to date, also when nobody has woken the function."
  schedule_expression = var.schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = module.function.function_arn
}

resource "aws_lambda_permission" "this" {
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this.arn
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    ProjectionLag = {
      threshold   = var.max_lag_seconds
      description = "${var.name} has not applied events that are ${var.max_lag_seconds} s old: it fails, or is too slow."
    }
    ProjectionsStopped = {
      threshold   = 0
      description = "${var.name} stopped at an event that it cannot take: its log says at which. Fix the code and resume, or skip the event."
    }
  }

  alarm_name          = "${var.name}-${lower(each.key)}"
  alarm_description   = each.value.description
  namespace           = "EventStore"
  metric_name         = each.key
  dimensions          = { service = var.name, projection = var.projection }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "breaching" # the schedule runs it every minute, or something is wrong
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
