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

run "a_store_as_it_comes" {
  # Each operation is a function named after the store.
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

  # Each operation has a role and a log group of its own.
  assert {
    condition     = length(distinct([for function in concat(values(module.reader), [module.writer]) : function.role_name])) == 3
    error_message = "An operation must not hold the rights of another."
  }
  assert {
    condition     = length(distinct([for function in concat(values(module.reader), [module.writer]) : function.log_group_name])) == 3
    error_message = "Operations must not share a log group."
  }
}

run "an_operation_has_what_is_set_for_it_and_callers_may_invoke_what_the_outputs_name" {
  variables {
    operation_settings = {
      store_events   = { reserved_concurrency = 50, provisioned_concurrency = 2 }
      get_all_events = { snap_start = true }
    }
  }
  assert {
    condition = output.store_events == "orders-store-events:live" && (
      output.get_aggregate_events == "orders-get-aggregate-events" && output.get_all_events == "orders-get-all-events:live"
    )
    error_message = "Callers invoke the alias, where there is one."
  }
  assert {
    condition = { for right, policy in output.invoke_policies : right => jsondecode(policy).Statement } == {
      read = [{
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = [output.functions["get_aggregate_events"], output.functions["get_all_events"]]
      }]
      append = [{
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = [output.functions["store_events"]]
      }]
    }
    error_message = "Who may read may not append, and the other way round."
  }
  assert {
    condition     = length(distinct(values(output.functions))) == 3 && length(distinct(values(output.roles))) == 1 && length(output.alarms) == 6
    error_message = "The outputs name every function, role (all alike to the mock) and alarm."
  }
}

run "settings_of_an_unknown_operation_are_refused" {
  command = plan
  variables {
    operation_settings = { store_event = { reserved_concurrency = 1 } }
  }
  expect_failures = [var.operation_settings]
}

run "a_snapshot_of_an_environment_that_is_kept_ready_is_refused" {
  command = plan
  variables {
    operation_settings = { store_events = { provisioned_concurrency = 1, snap_start = true } }
  }
  expect_failures = [var.operation_settings]
}

run "more_environments_than_may_run_are_refused" {
  command = plan
  variables {
    operation_settings = { store_events = { provisioned_concurrency = 2, reserved_concurrency = 1 } }
  }
  expect_failures = [var.operation_settings]
}

run "a_name_that_leaves_no_room_for_the_functions_is_refused" {
  command = plan
  variables {
    name = "a-name-of-forty-one-characters-is-too-long"
  }
  expect_failures = [var.name]
}
