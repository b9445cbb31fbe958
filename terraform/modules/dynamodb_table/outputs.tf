output "name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "stream_arn" {
  description = "ARN of the table's stream; null without one."
  value       = var.stream_view_type == null ? null : aws_dynamodb_table.this.stream_arn
}

output "alarms" {
  description = "ARNs of the alarms, by name."
  value       = { for alarm in aws_cloudwatch_metric_alarm.throttles : alarm.alarm_name => alarm.arn }
}
