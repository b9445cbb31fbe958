output "store_events" {
  description = "Name of the function that appends events."
  value       = module.writer.function_name
}

output "get_aggregate_events" {
  description = "Name of the function that reads one aggregate."
  value       = module.reader["get_aggregate_events"].function_name
}

output "get_all_events" {
  description = "Name of the function that reads all events."
  value       = module.reader["get_all_events"].function_name
}
