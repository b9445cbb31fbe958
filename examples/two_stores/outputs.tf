output "payments" {
  description = "The functions of the store of payments, by operation."
  value = {
    store_events         = module.payments.store_events
    get_aggregate_events = module.payments.get_aggregate_events
    get_all_events       = module.payments.get_all_events
  }
}

output "visits" {
  description = "The functions of the store of visits, by operation."
  value = {
    store_events         = module.visits.store_events
    get_aggregate_events = module.visits.get_aggregate_events
    get_all_events       = module.visits.get_all_events
  }
}
