output "function_name" {
  description = "Name of the function. `{\"command\": \"skip\"}`, `resume` and `rebuild` are its commands."
  value       = module.function.function_name
}

output "function_arn" {
  description = "ARN of the function, to wake it."
  value       = module.function.function_arn
}

output "table" {
  description = "Name of the table of the read model."
  value       = module.read_model.name
}

output "query_statements" {
  description = "What a function that queries the read model must be allowed."
  value       = [{ actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.read_model.arn] }]
}

output "arns" {
  description = "ARNs by name, as those of a pattern: of the function, the table and the alarms."
  value = {
    functions = { (var.name) = module.function.function_arn }
    tables    = { (var.name) = module.read_model.arn }
    alarms = merge(module.function.alarms, module.read_model.alarms, {
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name => alarm.arn
    })
  }
}
