# The table of events, the table of their global order, and the three operations on both.

locals {
  environment = {
    TABLE     = module.events.name
    LOG_TABLE = module.log.name
  }

  statements = {
    # PutItem is what the puts of a transaction are authorised by. There is no right to update or to delete.
    store_events = [
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.events.arn] },
      { actions = ["dynamodb:Query", "dynamodb:PutItem"], resources = [module.log.arn] },
    ]
    get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = [module.events.arn] }]
    get_all_events = [
      { actions = ["dynamodb:Query"], resources = [module.log.arn] },
      # Large events, which the log refers to.
      { actions = ["dynamodb:BatchGetItem"], resources = [module.events.arn] },
    ]
  }
}

module "events" {
  source = "../../terraform/modules/dynamodb_table"

  name      = var.name
  hash_key  = { name = "aggregateId", type = "S" }
  range_key = { name = "aggregateVersion", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "log" {
  source = "../../terraform/modules/dynamodb_table"

  name      = "${var.name}-log"
  hash_key  = { name = "logId", type = "S" }
  range_key = { name = "logKey", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = var.name
  pattern = "transactions"
  package = coalesce(var.package, "${path.module}/../../.build/transactions.zip")

  environment = local.environment
  statements  = local.statements

  timeout            = var.timeout
  architecture       = var.architecture
  memory_size        = var.memory_size
  log_level          = var.log_level
  log_retention_days = var.log_retention_days
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}
