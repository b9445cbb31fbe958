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

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues, clusters and alarms."
  value = {
    functions = module.store.arns.functions
    tables    = module.store.arns.tables
    streams   = module.store.arns.streams
    queues    = module.store.arns.queues
    clusters  = {}
    alarms = merge(module.store.arns.alarms, {
      for alarm in [aws_cloudwatch_metric_alarm.lag, aws_cloudwatch_metric_alarm.failures] : alarm.alarm_name => alarm.arn
    })
  }
}

output "invoke_policies" {
  description = "IAM policies for callers, as JSON: `read` may invoke the two operations that read, `append` the one that appends."
  value       = module.store.invoke_policies
}

output "store" {
  description = "What a function of yours needs to use the store in its own process, such as a projection: `pattern`, and by operation the `environments` and IAM `statements`; and `late_seconds`, within which late events are to be expected."
  value       = module.store.store
}
