# Events table -> its stream -> the sequencer, one at a time -> log table. The sweep rings for what the stream has lost.

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

  listener = module.store.sequencer_arn

  sequencer = {
    statements           = module.store.listener_statements
    timeout              = 60
    reserved_concurrency = 1
    throttles_threshold  = var.throttles_threshold
  }

  sweep = var.sweep
  ring = {
    statements  = [{ actions = ["lambda:InvokeFunction"], resources = [module.store.sequencer_arn] }]
    environment = { SEQUENCER = module.store.sequencer }
  }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  function_settings      = var.function_settings
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

# The sweep invokes the sequencer asynchronously.
resource "aws_lambda_function_event_invoke_config" "sequencer" {
  function_name                = module.store.sequencer
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 300 # the next sweep rings again

  destination_config {
    on_failure {
      destination = module.store.failures.arn
    }
  }
}
