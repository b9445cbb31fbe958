output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "invoke" {
  description = "What callers invoke: `name` and `arn` of the alias if there is one, else of the function."
  value = {
    name = join(":", concat([aws_lambda_function.this.function_name], aws_lambda_alias.live[*].name))
    arn  = one(concat(aws_lambda_alias.live[*].arn, [for arn in [aws_lambda_function.this.arn] : arn if var.alias == null]))
  }
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "alarms" {
  description = "ARNs of the alarms, by name."
  value       = { for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name => alarm.arn }
}

output "role_name" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}
