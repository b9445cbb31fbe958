# The accounts sample on top of a pattern, by the pattern's output `store`: three projections, and functions for commands and queries.

locals {
  name    = coalesce(var.name, "eventstore-${replace(var.store.pattern, "_", "-")}-accounts")
  package = coalesce(var.package, "${path.module}/../../../.build/${var.store.pattern}-accounts.zip")

  # The store as a function sees it that uses these operations, and no others.
  stores = { for function, operations in { command = ["store_events", "get_aggregate_events"], query = ["get_all_events"] } : function => {
    environment = jsonencode({
      pattern      = var.store.pattern
      environments = { for operation in operations : operation => var.store.environments[operation] }
    })
    statements = distinct(flatten([for operation in operations : var.store.statements[operation]]))
  } }

  # Each with a handler of the sample, and the projection's name as its code has it.
  projections = toset(["balances", "statements", "daily-totals"])

  followers = merge(module.projection, { for number, push in module.push : "push-${number}" => push })
  wakes     = [{ actions = ["lambda:InvokeFunction"], resources = [for follower in local.followers : follower.function_arn] }]
}

module "projection" {
  source   = "../../../terraform/modules/projection"
  for_each = local.projections

  name        = "${local.name}-${each.key}"
  projection  = each.key
  store       = var.store
  package     = local.package
  handler     = "examples.accounts.projector_lambda.handler"
  environment = { PROJECTION = each.key }

  deletion_protection = var.deletion_protection
  function_settings   = var.function_settings
  alarm_actions       = var.alarm_actions
  tags                = var.tags
}

module "push" {
  source = "../../../terraform/modules/push"
  count  = var.push_to == null ? 0 : 1

  name         = "${local.name}-push"
  store        = var.store
  package      = local.package
  target       = var.push_to
  event_source = "/${local.name}"

  deletion_protection = var.deletion_protection
  function_settings   = var.function_settings
  alarm_actions       = var.alarm_actions
  tags                = var.tags
}

module "snapshots" {
  source = "../../../terraform/modules/dynamodb_table"
  count  = var.snapshot_every == null ? 0 : 1

  name      = "${local.name}-snapshots"
  hash_key  = { name = "partition", type = "S" }
  range_key = { name = "sort", type = "S" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = false # a cache
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "command" {
  source = "../../../terraform/modules/lambda_function"

  name        = "${local.name}-command"
  description = "Executes commands on bank accounts."
  service     = local.name
  package     = local.package
  handler     = "examples.accounts.command_lambda.handler"
  statements = concat(local.stores.command.statements, local.wakes, [
    for table in module.snapshots : { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [table.arn] }
  ])

  environment = merge(
    {
      STORE      = local.stores.command.environment
      PROJECTORS = jsonencode([for follower in local.followers : follower.function_name])
    },
    [for table in module.snapshots : { SNAPSHOTS = table.name, SNAPSHOT_EVERY = tostring(var.snapshot_every) }]...
  )

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}

module "query" {
  source = "../../../terraform/modules/lambda_function"

  name        = "${local.name}-query"
  description = "Answers queries about bank accounts."
  service     = local.name
  package     = local.package
  handler     = "examples.accounts.query_lambda.handler"
  statements  = concat(local.stores.query.statements, flatten([for projection in module.projection : projection.query_statements]), local.wakes)

  environment = {
    STORE       = local.stores.query.environment
    READ_MODELS = jsonencode({ for name, projection in module.projection : name => projection.table })
    PROJECTORS  = jsonencode([module.projection["balances"].function_name])
  }

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}
