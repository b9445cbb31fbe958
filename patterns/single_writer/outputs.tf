output "store_events" {
  description = "Name of the function that appends events."
  value       = module.store.store_events
}

output "get_aggregate_events" {
  description = "Name of the function that reads one aggregate."
  value       = module.store.get_aggregate_events
}

output "get_all_events" {
  description = "Name of the function that reads all events."
  value       = module.store.get_all_events
}

output "table" {
  description = "Name of the table of events."
  value       = module.store.table
}

output "log_table" {
  description = "Name of the table with the log."
  value       = module.store.log_table
}

output "sequencer" {
  description = "Name of the function that orders events in the log."
  value       = module.store.sequencer
}

output "sweep" {
  description = "Name of the function that rings for events missing from the log."
  value       = module.store.sweep
}

output "failures" {
  description = "URL of the queue with what was set aside."
  value       = module.store.failures.url
}
