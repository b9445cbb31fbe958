mock_provider "aws" {}

run "the_outputs_name_the_functions" {
  command = plan
  assert {
    condition     = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && output.get_all_events == "orders-get-all-events"
    error_message = "Functions are called after the store."
  }
}
