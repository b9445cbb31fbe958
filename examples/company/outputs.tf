output "store_events" {
  description = "Name of the function that appends events."
  value       = module.orders.store_events
}

output "get_aggregate_events" {
  description = "Name of the function that reads one aggregate."
  value       = module.orders.get_aggregate_events
}

output "get_all_events" {
  description = "Name of the function that reads all events."
  value       = module.orders.get_all_events
}

output "caller_policies" {
  description = "ARNs of the policies for callers: `read` and `append`."
  value       = { for name, policy in aws_iam_policy.callers : name => policy.arn }
}
