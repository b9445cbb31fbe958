mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:orders" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/orders-sweep" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:orders-failures", url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders-failures" }
  }
}

override_resource {
  target = module.events.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000"
  }
}

override_resource {
  target = module.log.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders-log" }
}

variables {
  name     = "orders"
  pattern  = "any"
  package  = "main.tf" # any file: only its hash is taken
  listener = "arn:aws:lambda:us-east-1:123456789012:function:orders-listener"
  sequencer = {
    statements = [{ actions = ["sqs:ReceiveMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-bells"] }]
    timeout    = 30
  }
  ring = {
    statements  = [{ actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-bells"] }]
    environment = { BELLS = "orders-bells" }
  }
  deletion_protection = true
}

run "a_store_as_it_comes" {
  # Everything is named after the store.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log"
    ) && output.sequencer == "orders-sequencer" && output.sweep == "orders-sweep" && output.failures.name == "orders-failures"
    error_message = "Patterns hand these outputs on."
  }

  # An operation may touch a table only as far as it must.
  assert {
    condition = local.statements == {
      store_events = [{
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
      }]
      get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
      get_all_events       = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"] }]
    }
    error_message = "Appends go to the events table and never to the log; readers read one table each."
  }

  # The sequencer reads events and writes the log and may do what the pattern asks.
  assert {
    condition = jsonencode(local.sequencer_statements) == jsonencode([
      { actions = ["sqs:ReceiveMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-bells"] },
      { actions = ["dynamodb:BatchGetItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
      {
        actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      },
      { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-failures"] },
    ])
    error_message = "The sequencer never writes events and never deletes."
  }

  # Of the log the sweep may write its cursor only.
  assert {
    condition = jsonencode(local.sweep_statements) == jsonencode([
      { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-bells"] },
      { actions = ["dynamodb:Scan"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"] },
      {
        actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage"]
        resources = ["arn:aws:sqs:us-east-1:123456789012:orders-failures"]
      },
    ])
    error_message = "The sweep reads and rings, and has its way with what was set aside."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.cursor.policy).Statement == [{
      Effect   = "Allow"
      Action   = ["dynamodb:PutItem"]
      Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      Condition = {
        "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["sweep"] }
        Null                        = { "dynamodb:LeadingKeys" = "false" }
      }
    }]
    error_message = "The cursor is the one item under the partition key `sweep`."
  }

  # The listener reads the stream and no table and is asked again as long as the stream keeps a record.
  assert {
    condition = output.listener_statements == [
      {
        actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000"]
      },
      { actions = ["dynamodb:ListStreams"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/*"] },
      { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-failures"] },
    ]
    error_message = "Who listens sees keys and never an event."
  }
  assert {
    condition = aws_lambda_event_source_mapping.stream.function_name == var.listener && (
      aws_lambda_event_source_mapping.stream.bisect_batch_on_function_error &&
      aws_lambda_event_source_mapping.stream.maximum_retry_attempts == -1 &&
      aws_lambda_event_source_mapping.stream.maximum_record_age_in_seconds == -1 &&
      aws_lambda_event_source_mapping.stream.function_response_types == toset(["ReportBatchItemFailures"]) &&
      aws_lambda_event_source_mapping.stream.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures.arn
    )
    error_message = "An outage passes: what it fails must not be given up. What does not pass the functions set aside."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.stream.starting_position == "TRIM_HORIZON" && aws_lambda_event_source_mapping.stream.parallelization_factor == 1
    error_message = "LATEST can miss events while the mapping is being made."
  }

  # The sweep runs on a schedule.
  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(5 minutes)" && aws_lambda_permission.sweep.source_arn == aws_cloudwatch_event_rule.sweep.arn
    error_message = "Nobody else would find what the stream has lost."
  }
}

run "the_sweep_looks_at_one_event_at_least" {
  command = plan
  variables {
    sweep = { events = 0 }
  }
  expect_failures = [var.sweep]
}

run "the_sweep_reads_one_megabyte_at_least" {
  command = plan
  variables {
    sweep = { megabytes = 0 }
  }
  expect_failures = [var.sweep]
}

run "the_sweep_waits_for_whole_seconds" {
  command = plan
  variables {
    sweep = { settle_seconds = 0.5 }
  }
  expect_failures = [var.sweep]
}
