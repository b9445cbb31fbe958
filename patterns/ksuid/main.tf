# The table of events, whose index gives all of them in rough time order, and the three operations on it.

locals {
  all_events = "all-events"
  writer     = "${module.identity.name}-store-events"
  index_arn  = "${module.events.arn}/index/${local.all_events}"

  environment = {
    TABLE     = module.events.name
    SHARDS    = tostring(var.shards)
    SETTLE_MS = tostring(var.settle_ms)
  }

  statements = {
    # PutItem is also what the puts of a transaction are authorised by.
    store_events = [{
      actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
      resources = [module.events.arn]
    }]
    get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = [module.events.arn] }]
    # Of large events, the index has the keys alone.
    get_all_events = [
      { actions = ["dynamodb:Query"], resources = [local.index_arn] },
      { actions = ["dynamodb:BatchGetItem"], resources = [module.events.arn] },
    ]
  }
}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

# The store as it runs, if it does. It is read while planning, so this module takes no depends_on: that would put it off.
data "aws_lambda_functions" "all" {}

data "aws_lambda_function" "writer" {
  count = contains(data.aws_lambda_functions.all.function_names, local.writer) ? 1 : 0

  function_name = local.writer

  lifecycle {
    postcondition {
      condition     = try(var.shards >= tonumber(self.environment[0].variables["SHARDS"]), true)
      error_message = "${local.writer} writes to more shards than ${var.shards}: readers would pass over the events in those that are gone. The number of shards can only grow."
    }
  }
}

module "events" {
  source = "../../terraform/modules/dynamodb_table"

  name      = module.identity.name
  hash_key  = { name = "aggregateId", type = "S" }
  range_key = { name = "aggregateVersion", type = "N" }

  indexes = {
    (local.all_events) = {
      hash_key  = { name = "TYPE", type = "S" }
      range_key = { name = "eventId", type = "S" }
      # The store keeps the metadata of a large event in another attribute, so an entry takes one write unit.
      attributes = ["eventType", "eventVersion", "metadata"]
    }
  }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"]] }
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  environment = local.environment
  statements  = local.statements

  # Beyond the settle window: for the index's propagation, and for clocks that are some seconds off.
  late_seconds = 10

  function_settings  = var.function_settings
  alarm_actions      = var.alarm_actions
  tags               = var.tags
  operation_settings = var.operation_settings
  kms_key_arn        = var.kms_key_arn
}
