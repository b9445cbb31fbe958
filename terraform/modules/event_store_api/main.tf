# The three operations of the contract, one function each, with no more rights than the operation needs.

locals {
  operations = {
    store_events         = "Append events, all or none, if the versions they name are next."
    get_aggregate_events = "Read the events of one aggregate, strongly consistent, by version."
    get_all_events       = "Read the events of all aggregates in global order."
  }
}

module "function" {
  source   = "../lambda_function"
  for_each = local.operations

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  service     = var.name
  package     = var.package
  handler     = "lambdas.handlers.${each.key}"
  statements  = var.statements[each.key]
  environment = merge(var.environment, { PATTERN = var.pattern })

  timeout           = var.timeout
  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}
