# The log, whose pages are the commits, the table of events behind it, that of pending requests, and the three operations.

locals {
  environment = {
    TABLE         = module.events.name
    LOG_TABLE     = module.log.name
    PENDING_TABLE = module.pending.name
  }

  statements = {
    # There is no right to update or to delete an event, nor a page. Of the log, BatchGetItem reads the payloads that a page
    # refers to. A pending request is deleted once it is stored, or refused.
    store_events = [
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.events.arn] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.log.arn] },
      { actions = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], resources = [module.pending.arn] },
    ]
    get_aggregate_events = [
      { actions = ["dynamodb:Query"], resources = [module.events.arn] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.log.arn] },
    ]
    get_all_events = [{ actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.log.arn] }]
  }
}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

module "events" {
  source = "../../terraform/modules/dynamodb_table"

  name      = module.identity.name
  hash_key  = { name = "aggregateId", type = "S" }
  range_key = { name = "aggregateVersion", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"]] }
}

module "log" {
  source = "../../terraform/modules/dynamodb_table"

  name      = "${module.identity.name}-log"
  hash_key  = { name = "part", type = "S" }
  range_key = { name = "firstPosition", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"]] }
}

module "pending" {
  source = "../../terraform/modules/dynamodb_table"

  name      = "${module.identity.name}-pending"
  hash_key  = { name = "part", type = "S" }
  range_key = { name = "name", type = "S" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"]], delete = [module.api.roles["store_events"]] }
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  environment = local.environment
  statements  = local.statements

  timeout            = var.timeout
  function_settings  = var.function_settings
  alarm_actions      = var.alarm_actions
  tags               = var.tags
  operation_settings = var.operation_settings
  kms_key_arn        = var.kms_key_arn
}
