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
  description = "Name of the table with the log."
  value       = module.log.name
}

output "listener_statements" {
  description = "What the function that listens to the stream must be allowed: to read it, and to set aside what is no doorbell."
  value = [
    {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [module.events.stream_arn]
    },
    { actions = ["dynamodb:ListStreams"], resources = ["${module.events.arn}/stream/*"] },
    { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.failures.arn] },
  ]
}

output "sequencer" {
  description = "Name of the function that orders events in the log."
  value       = module.sequencer.function_name
}

output "sequencer_arn" {
  description = "ARN of the function that orders events in the log."
  value       = module.sequencer.function_arn
}

output "sweep" {
  description = "Name of the function that rings for events missing from the log."
  value       = module.sweep.function_name
}

output "failures" {
  description = "The queue with what was set aside: doorbells that cannot be met, and what is none."
  value       = { name = aws_sqs_queue.failures.name, arn = aws_sqs_queue.failures.arn, url = aws_sqs_queue.failures.url }
}

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues and alarms."
  value = {
    functions = merge(module.api.functions, { sequencer = module.sequencer.function_arn, sweep = module.sweep.function_arn })
    tables    = { events = module.events.arn, log = module.log.arn }
    streams   = { events = module.events.stream_arn }
    queues    = { failures = aws_sqs_queue.failures.arn }
    alarms    = merge(module.api.alarms, module.sequencer.alarms, module.sweep.alarms, module.events.alarms, module.log.alarms)
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
