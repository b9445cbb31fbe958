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

output "relay" {
  description = "Name of the function that carries doorbells from the stream to the queue."
  value       = module.relay.function_name
}

output "queue" {
  description = "URL of the queue of doorbells."
  value       = aws_sqs_queue.doorbells.url
}

output "failures" {
  description = "URL of the queue with what was set aside."
  value       = module.store.failures.url
}

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues, clusters and alarms."
  value = {
    functions = merge(module.store.arns.functions, { relay = module.relay.function_arn })
    tables    = module.store.arns.tables
    streams   = module.store.arns.streams
    queues    = merge(module.store.arns.queues, { doorbells = aws_sqs_queue.doorbells.arn })
    clusters  = {}
    alarms = merge(module.store.arns.alarms, module.relay.alarms, {
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name => alarm.arn
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
