mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
}

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "a_store_as_it_comes" {
  # The outputs name the three functions and the table.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders"
    )
    error_message = "Other programs find the store by these outputs."
  }

  # An operation may touch the table or the index only as far as it must.
  assert {
    condition = toset(flatten(local.statements.store_events[*].actions)) == toset([
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
    ])
    error_message = "store_events reads and puts; it never updates or deletes."
  }
  assert {
    condition     = local.statements.get_aggregate_events == [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
    error_message = "get_aggregate_events queries the table."
  }
  assert {
    condition = local.statements.get_all_events == [
      { actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders/index/all-events"] },
      { actions = ["dynamodb:BatchGetItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
    ]
    error_message = "get_all_events queries the index, and gets large events by their keys."
  }
}

run "the_store_is_told_its_table_and_settings" {
  variables {
    shards    = 8
    settle_ms = 500
  }
  assert {
    condition     = local.environment == { TABLE = "orders", SHARDS = "8", SETTLE_MS = "500" }
    error_message = "The functions read these variables."
  }
}

run "there_is_at_least_one_shard" {
  command = plan
  variables {
    shards = 0
  }
  expect_failures = [var.shards]
}

run "there_are_no_more_shards_than_a_reader_can_merge" {
  command = plan
  variables {
    shards = 65
  }
  expect_failures = [var.shards]
}

run "a_running_store_may_get_more_shards" {
  command = plan
  variables {
    shards = 8
  }
  override_data {
    target = data.aws_lambda_functions.all
    values = { function_names = ["orders-store-events"] }
  }
  override_data {
    target = data.aws_lambda_function.writer
    values = { environment = [{ variables = { SHARDS = "4" } }] }
  }
  assert {
    condition     = local.environment.SHARDS == "8"
    error_message = "Readers are told first, so that the number may grow."
  }
}

run "a_running_store_never_gets_fewer_shards" {
  command = plan
  variables {
    shards = 2
  }
  override_data {
    target = data.aws_lambda_functions.all
    values = { function_names = ["orders-store-events"] }
  }
  override_data {
    target = data.aws_lambda_function.writer
    values = { environment = [{ variables = { SHARDS = "4" } }] }
  }
  expect_failures = [data.aws_lambda_function.writer]
}
