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
  description = "ARN of the secret that opens the database; not the secret."
  value       = local.environment.SECRET_ARN
}

output "database" {
  description = "Name of the database."
  value       = local.environment.DATABASE
}
