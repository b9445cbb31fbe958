# A store whose events a sequencer brings from the events table into the log table, and the sweep that finds what it has not
# heard of. How the sequencer hears of events is the pattern's: it says who listens to the stream, and how the sweep rings.

locals {
  environment = {
    TABLE     = module.events.name
    LOG_TABLE = module.log.name
  }

  statements = {
    # PutItem is also what the puts of a transaction are authorised by.
    store_events = [{
      actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
      resources = [module.events.arn]
    }]
    get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = [module.events.arn] }]
    get_all_events       = [{ actions = ["dynamodb:Query"], resources = [module.log.arn] }]
  }

  sequencer_statements = concat(var.sequencer.statements, [
    { actions = ["dynamodb:BatchGetItem"], resources = [module.events.arn] },
    {
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [module.log.arn]
    },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.failures.arn] },
  ])

  sweep_statements = concat(var.ring.statements, [
    { actions = ["dynamodb:Scan"], resources = [module.events.arn] },
    { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [module.log.arn] },
    {
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage"]
      resources = [aws_sqs_queue.failures.arn]
    },
  ])
}

module "events" {
  source = "../dynamodb_table"

  name             = var.name
  hash_key         = { name = "aggregateId", type = "S" }
  range_key        = { name = "aggregateVersion", type = "N" }
  stream_view_type = "KEYS_ONLY"

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"]] }
}

module "log" {
  source = "../dynamodb_table"

  name      = "${var.name}-log"
  hash_key  = { name = "part", type = "S" }
  range_key = { name = "firstPosition", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.sequencer.role_arn, module.sweep.role_arn], update = [module.sequencer.role_arn] }
}

module "api" {
  source = "../event_store_api"

  name        = var.name
  pattern     = var.pattern
  package     = var.package
  environment = local.environment
  statements  = local.statements

  function_settings  = var.function_settings
  alarm_actions      = var.alarm_actions
  tags               = var.tags
  operation_settings = var.operation_settings
  kms_key_arn        = var.kms_key_arn
}

resource "aws_lambda_event_source_mapping" "stream" {
  event_source_arn  = module.events.stream_arn
  function_name     = var.listener
  starting_position = "TRIM_HORIZON" # LATEST can miss what is stored while the mapping is being made
  batch_size        = 100            # as many doorbells as one message holds

  # Only AWS out of reach fails a batch, and that passes: it is tried again for as long as the stream keeps the records. What
  # cannot be met the functions set aside by themselves. A batch that was too much for an invocation is halved.
  parallelization_factor         = 1
  bisect_batch_on_function_error = true
  function_response_types        = ["ReportBatchItemFailures"]
  maximum_retry_attempts         = -1
  maximum_record_age_in_seconds  = -1
  tags                           = var.tags

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failures.arn
    }
  }

  filter_criteria {
    filter {
      pattern = jsonencode({ eventName = ["INSERT"] })
    }
  }
}

# What was set aside: doorbells that cannot be met, for which the sweep rings again and again, and what is no doorbell.
resource "aws_sqs_queue" "failures" {
  name                      = "${module.events.name}-failures" # after the table: SQS gives out a queue that exists, DynamoDB no table
  message_retention_seconds = 14 * 24 * 60 * 60
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null # one or the other
  tags                      = var.tags
}

module "sequencer" {
  source = "../lambda_function"

  name        = "${var.name}-sequencer"
  description = "Gives every event its one position in the log."
  service     = var.name
  package     = var.package
  handler     = "patterns.${var.pattern}.sequencer.handler"
  statements  = local.sequencer_statements
  environment = merge(local.environment, var.sequencer.environment, { FAILURES_URL = aws_sqs_queue.failures.url })

  reserved_concurrency = var.sequencer.reserved_concurrency
  throttles_threshold  = var.sequencer.throttles_threshold
  timeout              = var.sequencer.timeout
  # One whole processor (dg/configuration-memory): there is only ever one of it.
  function_settings = merge(var.function_settings, { memory_size = 1769 })
  alarm_actions     = var.alarm_actions
  tags              = var.tags
  kms_key_arn       = var.kms_key_arn
}

module "sweep" {
  source = "../lambda_function"

  name        = "${var.name}-sweep"
  description = "Finds events that are missing from the log, and rings for them."
  service     = var.name
  package     = var.package
  handler     = "patterns.${var.pattern}.sweeper.handler"
  statements  = local.sweep_statements
  environment = merge(local.environment, var.ring.environment, {
    FAILURES_URL    = aws_sqs_queue.failures.url
    SWEEP_EVENTS    = tostring(var.sweep.events)
    SWEEP_MEGABYTES = tostring(var.sweep.megabytes)
    SETTLE_SECONDS  = tostring(var.sweep.settle_seconds)
  })

  timeout           = 180 # to wait for the sequencer once (its own timeout at most), and to look for longer than that
  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
  kms_key_arn       = var.kms_key_arn
}

# Of the log table, the sweep may write its own cursor and nothing else. ForAllValues is true of a request without keys, so that
# they must be there as well (IAM guide, reference_policies_condition-single-vs-multi-valued-context-keys, read 2026-11). Tried
# on the local AWS only, which has the condition key from its documentation (local/leading_keys.py).
resource "aws_iam_role_policy" "cursor" {
  name = "cursor"
  role = module.sweep.role_name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["dynamodb:PutItem"]
      Resource = [module.log.arn]
      Condition = {
        "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["sweep"] }
        Null                        = { "dynamodb:LeadingKeys" = "false" }
      }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = module.sweep.function_name # after the function: EventBridge gives out a rule that exists, Lambda no function
  description         = "Rings for events that are not in the log though they should be."
  schedule_expression = var.sweep.schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = module.sweep.function_arn
}

resource "aws_lambda_permission" "sweep" {
  action        = "lambda:InvokeFunction"
  function_name = module.sweep.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}
