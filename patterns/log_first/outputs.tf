output "store_events" {
  description = "Name of the function that appends events."
  value       = module.api.store_events
}

output "get_aggregate_events" {
  description = "Name of the function that reads one aggregate."
  value       = module.api.get_aggregate_events
}

output "get_all_events" {
  description = "Name of the function that reads all events."
  value       = module.api.get_all_events
}

output "table" {
  description = "Name of the table of events."
  value       = module.events.name
}

output "log_table" {
  description = "Name of the table of the log, all events in global order."
  value       = module.log.name
}
