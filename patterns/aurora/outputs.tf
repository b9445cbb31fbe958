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

output "migrate" {
  description = "Name of the function that brings the schema up to date; also to be called after a dump was restored."
  value       = module.migrate.function_name
}

output "cluster_arn" {
  description = "ARN of the cluster, for the Data API."
  value       = aws_rds_cluster.this.arn
}

output "secret_arn" {
  description = "ARN of the master user's secret, for people and migrations; not the secret."
  value       = local.secrets.master
}

output "database" {
  description = "Name of the database."
  value       = local.environment.DATABASE
}

output "arns" {
  description = "ARNs by name: of what callers invoke and the functions behind it, of tables, streams, queues, clusters and alarms."
  value = {
    functions = merge(module.api.functions, { migrate = module.migrate.function_arn })
    tables    = {}
    streams   = {}
    queues    = {}
    clusters  = { events = aws_rds_cluster.this.arn }
    alarms = merge(module.api.alarms, module.migrate.alarms, {
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name => alarm.arn
    })
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
