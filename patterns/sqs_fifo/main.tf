# Events table -> its stream -> relay -> FIFO queue -> sequencer -> log table. The sweep rings for what was lost on the way.

locals {
  package           = coalesce(var.package, "${path.module}/../../.build/sqs_fifo.zip")
  sequencer_timeout = 30

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

  relay_statements = [
    {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [module.events.stream_arn]
    },
    { actions = ["dynamodb:ListStreams"], resources = ["${module.events.arn}/stream/*"] },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.doorbells.arn, aws_sqs_queue.failures.arn] },
  ]

  sequencer_statements = [
    { actions = ["dynamodb:BatchGetItem"], resources = [module.events.arn] },
    {
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [module.log.arn]
    },
    {
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      resources = [aws_sqs_queue.doorbells.arn]
    },
  ]

  sweep_statements = [
    { actions = ["dynamodb:Scan"], resources = [module.events.arn] },
    { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [module.log.arn] },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.doorbells.arn] },
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
  pattern = "sqs_fifo"
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

module "relay" {
  source = "../../terraform/modules/lambda_function"

  name        = "${var.name}-relay"
  description = "Carries doorbells from the stream of the events table to the queue."
  service     = var.name
  package     = local.package
  handler     = "patterns.sqs_fifo.relay.handler"
  statements  = local.relay_statements
  environment = { QUEUE_URL = aws_sqs_queue.doorbells.url }

  memory_size        = var.memory_size
  architecture       = var.architecture
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}

resource "aws_lambda_event_source_mapping" "records" {
  event_source_arn  = module.events.stream_arn
  function_name     = module.relay.function_arn
  starting_position = "TRIM_HORIZON" # LATEST can miss what is stored while the mapping is being made
  batch_size        = 100            # what one message holds

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

# Where in the stream the records were that Lambda has given up on. For a person; the sweep repairs without it.
resource "aws_sqs_queue" "failures" {
  name                      = "${var.name}-failures"
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

# All messages are of one group, so that Lambda runs one sequencer at a time.
resource "aws_sqs_queue" "doorbells" {
  name                       = "${var.name}-doorbells.fifo"
  fifo_queue                 = true
  visibility_timeout_seconds = 6 * local.sequencer_timeout # as AWS recommends (dg/services-sqs-configure)
  message_retention_seconds  = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled    = true
  tags                       = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

# A dead letter leaves the queue's order, which means nothing here: a doorbell may come late or never.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters.fifo"
  fifo_queue                = true
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

module "sequencer" {
  source = "../../terraform/modules/lambda_function"

  name        = "${var.name}-sequencer"
  description = "Gives every event its one position in the log."
  service     = var.name
  package     = local.package
  handler     = "patterns.sqs_fifo.sequencer.handler"
  statements  = local.sequencer_statements
  environment = merge(local.environment, { QUEUE_URL = aws_sqs_queue.doorbells.url })

  timeout            = local.sequencer_timeout
  memory_size        = 1769 # one whole processor (dg/configuration-memory): there is only ever one of it
  architecture       = var.architecture
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}

resource "aws_lambda_event_source_mapping" "doorbells" {
  event_source_arn        = aws_sqs_queue.doorbells.arn
  function_name           = module.sequencer.function_arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  # The lowest there is. One message group never has two batches under way.
  scaling_config {
    maximum_concurrency = 2
  }
}

module "sweep" {
  source = "../../terraform/modules/lambda_function"

  name        = "${var.name}-sweep"
  description = "Finds events that no message has brought into the log, and rings for them."
  service     = var.name
  package     = local.package
  handler     = "patterns.sqs_fifo.sweeper.handler"
  statements  = local.sweep_statements

  environment = merge(local.environment, {
    QUEUE_URL      = aws_sqs_queue.doorbells.url
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
