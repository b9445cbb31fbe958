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

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "a_store_as_it_comes" {
  # The outputs name the three functions and the tables.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log"
    )
    error_message = "Other programs find the store by these outputs."
  }

  # The store is told its tables.
  assert {
    condition     = local.environment == { TABLE = "orders", LOG_TABLE = "orders-log" }
    error_message = "The functions read these variables."
  }

  # An operation may touch a table only as far as it must.
  assert {
    condition = local.statements.store_events == [
      {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
      },
      {
        actions   = ["dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      },
    ]
    error_message = "store_events reads and puts; it never updates or deletes."
  }
  assert {
    condition     = local.statements.get_aggregate_events == [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
    error_message = "get_aggregate_events queries the table of events."
  }
  assert {
    condition = local.statements.get_all_events == [
      { actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"] },
      { actions = ["dynamodb:BatchGetItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
    ]
    error_message = "get_all_events queries the log, and gets large events from the table of events."
  }
}
