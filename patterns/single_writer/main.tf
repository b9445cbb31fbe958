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
  operation_settings     = var.operation_settings
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
}
