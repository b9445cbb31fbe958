mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
}

override_resource {
  target = module.events.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" }
}

override_resource {
  target = module.log.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders-log" }
}

override_resource {
  target = module.pending.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders-pending" }
}

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "the_outputs_name_the_three_functions_and_the_tables" {
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log" && (
        output.pending_table == "orders-pending"
      )
    )
    error_message = "Other programs find the store by these outputs."
  }
}

run "the_store_is_told_its_tables" {
  assert {
    condition     = local.environment == { TABLE = "orders", LOG_TABLE = "orders-log", PENDING_TABLE = "orders-pending" }
    error_message = "The functions read these variables."
  }
}

run "an_operation_may_touch_a_table_only_as_far_as_it_must" {
  assert {
    condition = local.statements.store_events == [
      {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
      },
      {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      },
      {
        actions   = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-pending"]
      },
    ]
    error_message = "store_events reads and puts; it deletes nothing but pending requests, and updates nothing."
  }
  assert {
    condition = local.statements.get_aggregate_events == [
      { actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"] },
    ]
    error_message = "get_aggregate_events queries the table of events, and the end of the log."
  }
  assert {
    condition     = local.statements.get_all_events == [{ actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"] }]
    error_message = "get_all_events queries the log, and gets the payloads that its pages refer to."
  }
}
