output "store_events" {
  description = "Name of what appends events: the function, with its alias if it has one."
  value       = module.writer.invoke.name
}

output "get_aggregate_events" {
  description = "Name of what reads one aggregate: the function, with its alias if it has one."
  value       = module.reader["get_aggregate_events"].invoke.name
}

output "get_all_events" {
  description = "Name of what reads all events: the function, with its alias if it has one."
  value       = module.reader["get_all_events"].invoke.name
}

output "functions" {
  description = "ARNs of what callers invoke, by operation: the functions, or their aliases."
  value       = { for operation, function in local.functions : operation => function.invoke.arn }
}

output "roles" {
  description = "ARNs of the functions' roles, by operation."
  value       = { for operation, function in local.functions : operation => function.role_arn }
}

output "store" {
  description = "What a function of yours needs to use the store in its own process, such as a projection: `pattern`, and by operation the `environments` and IAM `statements`; and `late_seconds`, within which late events are to be expected."
  value = {
    pattern      = var.pattern
    environments = { for operation in keys(local.functions) : operation => merge(var.environment, lookup(var.environments, operation, {})) }
    statements   = var.statements
    late_seconds = var.late_seconds
  }
}

output "alarms" {
  description = "ARNs of the alarms, by name."
  value       = merge([for function in values(local.functions) : function.alarms]...)
}

output "invoke_policies" {
  description = "IAM policies for callers, as JSON: `read` may invoke the two operations that read, `append` the one that appends."
  value = { for right, operations in local.callers : right => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = [for operation in operations : local.functions[operation].invoke.arn]
    }]
  }) }
}
