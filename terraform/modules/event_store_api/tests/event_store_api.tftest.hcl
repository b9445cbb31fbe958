mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
}

variables {
  name        = "orders"
  pattern     = "ksuid"
  package     = "main.tf" # any file: only its hash is taken
  environment = { TABLE = "orders" }
  statements = {
    store_events         = [{ actions = ["dynamodb:PutItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
    get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
    get_all_events       = []
  }
}

run "each_operation_is_a_function_named_after_the_store" {
  assert {
    condition     = output.store_events == "orders-store-events"
    error_message = "store_events has the wrong name."
  }
  assert {
    condition     = output.get_aggregate_events == "orders-get-aggregate-events"
    error_message = "get_aggregate_events has the wrong name."
  }
  assert {
    condition     = output.get_all_events == "orders-get-all-events"
    error_message = "get_all_events has the wrong name."
  }
}

run "each_operation_has_a_role_and_a_log_group_of_its_own" {
  assert {
    condition     = length(distinct([for function in concat(values(module.reader), [module.writer]) : function.role_name])) == 3
    error_message = "An operation must not hold the rights of another."
  }
  assert {
    condition     = length(distinct([for function in concat(values(module.reader), [module.writer]) : function.log_group_name])) == 3
    error_message = "Operations must not share a log group."
  }
}

run "a_name_that_leaves_no_room_for_the_functions_is_refused" {
  command = plan
  variables {
    name = "a-name-of-forty-one-characters-is-too-long"
  }
  expect_failures = [var.name]
}
