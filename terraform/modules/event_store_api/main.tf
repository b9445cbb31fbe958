# The three operations of the contract, one function each, with no more rights than the operation needs.

locals {
  readers = {
    get_aggregate_events = "Read the events of one aggregate, strongly consistent, by version."
    get_all_events       = "Read the events of all aggregates in global order."
  }

  aliases = { for operation, settings in var.operation_settings : operation => {
    provisioned_concurrency = settings.provisioned_concurrency
    snap_start              = coalesce(settings.snap_start, false)
  } if settings.provisioned_concurrency != null || coalesce(settings.snap_start, false) }

  functions = merge(module.reader, { store_events = module.writer })

  callers = {
    read   = keys(local.readers)
    append = ["store_events"]
  }
}

module "reader" {
  source   = "../lambda_function"
  for_each = local.readers

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  service     = var.name
  package     = var.package
  handler     = "lambdas.handlers.${each.key}"
  statements  = var.statements[each.key]
  environment = merge(var.environment, lookup(var.environments, each.key, {}), { PATTERN = var.pattern })

  timeout              = var.timeout
  reserved_concurrency = try(var.operation_settings[each.key].reserved_concurrency, null)
  alias                = try(local.aliases[each.key], null)
  function_settings    = var.function_settings
  kms_key_arn          = var.kms_key_arn
  alarm_actions        = var.alarm_actions
  tags                 = var.tags
}

module "writer" {
  source = "../lambda_function"

  name        = "${var.name}-store-events"
  description = "Append events, all or none, if the versions they name are next."
  service     = var.name
  package     = var.package
  handler     = "lambdas.handlers.store_events"
  statements  = var.statements.store_events
  environment = merge(var.environment, lookup(var.environments, "store_events", {}), { PATTERN = var.pattern })

  timeout              = var.timeout
  reserved_concurrency = try(var.operation_settings["store_events"].reserved_concurrency, null)
  alias                = try(local.aliases["store_events"], null)
  function_settings    = var.function_settings
  kms_key_arn          = var.kms_key_arn
  alarm_actions        = var.alarm_actions
  tags                 = var.tags

  # Readers learn of new code and settings first: nothing is written that they do not know where to look for.
  depends_on = [module.reader]
}
