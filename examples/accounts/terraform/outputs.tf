output "accounts_command" {
  description = "Name of the function that executes commands."
  value       = module.command.function_name
}

output "accounts_query" {
  description = "Name of the function that answers queries."
  value       = module.query.function_name
}

output "accounts_projections" {
  description = "Names of the functions that keep the read models up to date, by projection."
  value       = { for name, projection in module.projection : name => projection.function_name }
}
