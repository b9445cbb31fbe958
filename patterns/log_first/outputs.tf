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

output "pending_table" {
  description = "Name of the table of the requests that wait to be stored."
  value       = module.pending.name
}

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues, clusters and alarms."
  value = {
    functions = module.api.functions
    tables    = { events = module.events.arn, log = module.log.arn, pending = module.pending.arn }
    streams   = {}
    queues    = {}
    clusters  = {}
    alarms    = merge(module.api.alarms, module.events.alarms, module.log.alarms, module.pending.alarms)
  }
}

output "invoke_policies" {
  description = "IAM policies for callers, as JSON: `read` may invoke the two operations that read, `append` the one that appends."
  value       = module.api.invoke_policies
}

output "store" {
  description = "What a function of yours needs to use the store in its own process, such as a projection: `pattern`, and by operation the `environments` and IAM `statements`; and `late_seconds`, within which late events are to be expected."
  value       = module.api.store
}
