output "function_name" {
  description = "Name of the function. `{\"command\": \"skip\"}` and `resume` are its commands."
  value       = module.subscription.function_name
}

output "function_arn" {
  description = "ARN of the function, to wake it."
  value       = module.subscription.function_arn
}

output "dead_letters" {
  description = "The queue of what the target has refused: `name`, `arn` and `url`."
  value       = { name = aws_sqs_queue.dead_letters.name, arn = aws_sqs_queue.dead_letters.arn, url = aws_sqs_queue.dead_letters.url }
}

output "arns" {
  description = "ARNs by name, as those of a pattern: of functions, tables, queues and alarms."
  value = merge(module.subscription.arns, {
    queues = { (aws_sqs_queue.dead_letters.name) = aws_sqs_queue.dead_letters.arn }
    alarms = merge(module.subscription.arns.alarms, { (aws_cloudwatch_metric_alarm.dead_letters.alarm_name) = aws_cloudwatch_metric_alarm.dead_letters.arn })
  })
}
