# Events table -> its stream -> relay -> FIFO queue -> sequencer -> log table. The sweep rings for what was lost on the way.

locals {
  sequencer_timeout = 30

  relay_statements = concat(module.store.listener_statements, [
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.doorbells.arn] },
  ])

  sequencer_statements = [{
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.doorbells.arn]
  }]
}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

module "store" {
  source = "../../terraform/modules/sequenced_store"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  listener = module.relay.function_arn

  sequencer = {
    statements  = local.sequencer_statements
    environment = { QUEUE_URL = aws_sqs_queue.doorbells.url }
    timeout     = local.sequencer_timeout
  }

  sweep = var.sweep
  ring = {
    statements  = [{ actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.doorbells.arn] }]
    environment = { QUEUE_URL = aws_sqs_queue.doorbells.url }
  }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  function_settings      = var.function_settings
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  operation_settings     = var.operation_settings
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
}

module "relay" {
  source = "../../terraform/modules/lambda_function"

  name        = "${module.identity.name}-relay"
  description = "Carries doorbells from the stream of the events table to the queue."
  service     = module.identity.name
  package     = module.identity.package
  handler     = "patterns.${module.identity.pattern}.relay.handler"
  statements  = local.relay_statements
  environment = { QUEUE_URL = aws_sqs_queue.doorbells.url, FAILURES_URL = module.store.failures.url }

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
  kms_key_arn       = var.kms_key_arn
}

# All messages are of one group, so that Lambda runs one sequencer at a time. There is no redrive policy: it would give up by
# the number of attempts, and so in any outage. What cannot be met the sequencer sets aside by itself, at the first.
resource "aws_sqs_queue" "doorbells" {
  name                       = "${module.store.table}-doorbells.fifo" # after the table: SQS gives out a queue that exists, DynamoDB no table
  fifo_queue                 = true
  visibility_timeout_seconds = 6 * local.sequencer_timeout # as AWS recommends (dg/services-sqs-configure)
  message_retention_seconds  = 14 * 24 * 60 * 60
  kms_master_key_id          = var.kms_key_arn
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null # one or the other
  tags                       = var.tags
}

resource "aws_lambda_event_source_mapping" "doorbells" {
  event_source_arn        = aws_sqs_queue.doorbells.arn
  function_name           = module.store.sequencer_arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  # The lowest there is. One message group never has two batches under way.
  scaling_config {
    maximum_concurrency = 2
  }
}
