output "function_name" {
  description = "Name of the function."
  value       = module.function.function_name
}

output "url" {
  description = "Where checkpoints are submitted: POST to add-checkpoint below it."
  value       = aws_lambda_function_url.this.function_url
}

output "table" {
  description = "Name of the table with the last checkpoint of each log that was cosigned."
  value       = module.seen.name
}

output "key_arn" {
  description = "ARN of the key that cosigns."
  value       = local.key
}
