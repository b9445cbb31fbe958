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

output "publish" {
  description = "Name of the function that publishes the log."
  value       = module.function["publish"].function_name
}

output "get_digest" {
  description = "Name of the function that answers with the latest checkpoint."
  value       = module.function["get_digest"].function_name
}

output "get_proof" {
  description = "Name of the function that proves that an event is in the log, or that one checkpoint extends another."
  value       = module.function["get_proof"].function_name
}

output "erase" {
  description = "Name of the function that erases payloads."
  value       = module.function["erase"].function_name
}

output "table" {
  description = "Name of the table of events."
  value       = module.events.name
}

output "log_table" {
  description = "Name of the table of the log, all events in global order."
  value       = module.log.name
}

output "tiles_bucket" {
  description = "Name of the bucket with the published log."
  value       = aws_s3_bucket.tiles.bucket
}

output "log_origin" {
  description = "Name of the log in its checkpoints and keys."
  value       = local.origin
}

output "log_keys" {
  description = "Keys that verify the log's checkpoints, as verifier keys of c2sp.org/signed-note. Give them to auditors once, by another way than this store."
  value       = jsondecode(aws_lambda_invocation.log_keys.result).keys
}

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues, clusters and alarms."
  value = {
    functions = merge(module.api.functions, { for name, function in module.function : name => function.function_arn })
    tables    = { events = module.events.arn, log = module.log.arn }
    streams   = {}
    queues    = {}
    clusters  = {}
    alarms    = merge(module.api.alarms, module.events.alarms, module.log.alarms, [for function in values(module.function) : function.alarms]...)
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
