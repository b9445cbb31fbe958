# Events table -> its stream -> the sequencer, one at a time -> log table. The sweep rings for what the stream has lost.

locals {
  package = coalesce(var.package, "${path.module}/../../.build/single_writer.zip")

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

  sequencer_statements = [
    { actions = ["dynamodb:BatchGetItem"], resources = [module.events.arn] },
    {
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [module.log.arn]
    },
    {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [module.events.stream_arn]
    },
    { actions = ["dynamodb:ListStreams"], resources = ["${module.events.arn}/stream/*"] },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.failures.arn] },
  ]

  sweep_statements = [
    { actions = ["dynamodb:Scan"], resources = [module.events.arn] },
    { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [module.log.arn] },
    { actions = ["lambda:InvokeFunction"], resources = [module.sequencer.function_arn] },
  ]
}

module "events" {
  source = "../../terraform/modules/dynamodb_table"

  name             = var.name
  hash_key         = { name = "aggregateId", type = "S" }
  range_key        = { name = "aggregateVersion", type = "N" }
  stream_view_type = "KEYS_ONLY"

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "log" {
  source = "../../terraform/modules/dynamodb_table"

  name      = "${var.name}-log"
  hash_key  = { name = "part", type = "S" }
  range_key = { name = "firstPosition", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = var.name
  pattern = "single_writer"
  package = local.package

  environment = local.environment
  statements  = local.statements

  architecture       = var.architecture
  memory_size        = var.memory_size
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}

module "sequencer" {
  source = "../../terraform/modules/lambda_function"

  name        = "${var.name}-sequencer"
  description = "Gives every event its one position in the log."
  service     = var.name
  package     = local.package
  handler     = "patterns.single_writer.sequencer.handler"
  statements  = local.sequencer_statements
  environment = local.environment

  reserved_concurrency = 1
  throttles_threshold  = var.throttles_threshold
  timeout              = 60
  memory_size          = 1769 # one whole processor (dg/configuration-memory): there is only ever one of it
  architecture         = var.architecture
  log_level            = var.log_level
  log_retention_days   = var.log_retention_days
  alarm_actions        = var.alarm_actions
  tags                 = var.tags
}

resource "aws_lambda_event_source_mapping" "doorbells" {
  event_source_arn  = module.events.stream_arn
  function_name     = module.sequencer.function_arn
  starting_position = "TRIM_HORIZON" # LATEST can miss what is stored while the mapping is being made
  batch_size        = 100

  # A batch that fails is halved until the failing record is alone, and that one is given up after a while.
  parallelization_factor         = 1
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 10
  maximum_record_age_in_seconds  = 6 * 60 * 60
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

# What is given up: where in the stream it was, or the sweep's whole call. For a person; the sweep repairs without it.
resource "aws_sqs_queue" "failures" {
  name                      = "${var.name}-failures"
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_lambda_function_event_invoke_config" "sequencer" {
  function_name                = module.sequencer.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 300 # the next sweep rings again

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

module "sweep" {
  source = "../../terraform/modules/lambda_function"

  name        = "${var.name}-sweep"
  description = "Finds events that the stream did not bring into the log, and rings for them."
  service     = var.name
  package     = local.package
  handler     = "patterns.single_writer.sweeper.handler"
  statements  = local.sweep_statements

  environment = merge(local.environment, {
    SEQUENCER      = module.sequencer.function_name
    SWEEP_EVENTS   = tostring(var.sweep_events)
    SETTLE_SECONDS = tostring(var.sweep_settle_seconds)
  })

  timeout            = 60
  memory_size        = var.memory_size
  architecture       = var.architecture
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}

# Of the log table, the sweep may write its own cursor and nothing else.
resource "aws_iam_role_policy" "cursor" {
  name = "cursor"
  role = module.sweep.role_name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["dynamodb:PutItem"]
      Resource  = [module.log.arn]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["sweep"] } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "Rings for events that are not in the log though they should be."
  schedule_expression = var.sweep_schedule
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
