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

override_resource {
  target = aws_sqs_queue.failures
  values = {
    arn = "arn:aws:sqs:us-east-1:123456789012:orders-failures"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders-failures"
  }
}

override_resource {
  target = aws_sqs_queue.doorbells
  values = {
    arn = "arn:aws:sqs:us-east-1:123456789012:orders-doorbells.fifo"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders-doorbells.fifo"
  }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = {
    arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead-letters.fifo"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders-dead-letters.fifo"
  }
}

variables {
  name    = "orders"
  package = "main.tf" # any file: only its hash is taken
}

run "the_outputs_name_the_functions_and_the_tables" {
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log"
    ) && output.sequencer == "orders-sequencer" && output.sweep == "orders-sweep"
    error_message = "Other programs find the store by these outputs."
  }
}

run "an_operation_may_touch_a_table_only_as_far_as_it_must" {
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
}

run "the_sequencer_reads_events_and_writes_the_log" {
  assert {
    condition = alltrue([
      for statement in local.sequencer_statements : statement.actions == ["dynamodb:BatchGetItem"]
      if contains(statement.resources, "arn:aws:dynamodb:us-east-1:123456789012:table/orders")
      ]) && !anytrue([
      for action in flatten(local.sequencer_statements[*].actions) : startswith(action, "dynamodb:Delete")
    ])
    error_message = "The sequencer never writes events and never deletes."
  }
}

run "of_the_log_the_sweep_may_write_its_cursor_only" {
  assert {
    condition     = !anytrue([for action in flatten(local.sweep_statements[*].actions) : contains(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], action)])
    error_message = "The sweep reads and rings."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.cursor.policy).Statement == [{
      Effect    = "Allow"
      Action    = ["dynamodb:PutItem"]
      Resource  = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["sweep"] } }
    }]
    error_message = "The cursor is the one item under the partition key `sweep`."
  }
}

run "the_sweep_runs_on_a_schedule" {
  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(5 minutes)" && aws_lambda_permission.sweep.source_arn == aws_cloudwatch_event_rule.sweep.arn
    error_message = "Nobody else would find what the stream has lost."
  }
}

run "the_sweep_looks_at_one_event_at_least" {
  command = plan
  variables {
    sweep_events = 0
  }
  expect_failures = [var.sweep_events]
}

run "the_relay_reads_the_stream_and_sends_to_the_queue_and_a_poison_record_is_given_up" {
  assert {
    condition = aws_lambda_event_source_mapping.records.bisect_batch_on_function_error && (
      aws_lambda_event_source_mapping.records.maximum_retry_attempts == 10 &&
      aws_lambda_event_source_mapping.records.maximum_record_age_in_seconds == 21600 &&
      aws_lambda_event_source_mapping.records.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures.arn
    )
    error_message = "With the defaults one record that fails holds up its shard for a day."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.records.starting_position == "TRIM_HORIZON" && aws_lambda_event_source_mapping.records.parallelization_factor == 1
    error_message = "LATEST can miss events while the mapping is being made."
  }
  assert {
    condition = !anytrue([
      for action in flatten(local.relay_statements[*].actions) : contains(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], action)
    ])
    error_message = "The relay sees keys and never an event."
  }
}

run "the_queue_is_fifo_and_gives_a_message_up_after_five_tries" {
  assert {
    condition     = aws_sqs_queue.doorbells.fifo_queue && aws_sqs_queue.dead_letters.fifo_queue && aws_sqs_queue.doorbells.visibility_timeout_seconds == 180
    error_message = "A dead-letter queue of a FIFO queue is one too; the timeout is six times the function's."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.doorbells.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:us-east-1:123456789012:orders-dead-letters.fifo"
      maxReceiveCount     = 5
    }
    error_message = "A message that cannot be met must not hold up the queue for ever."
  }
}

run "a_batch_reports_what_failed_in_it" {
  assert {
    condition     = aws_lambda_event_source_mapping.doorbells.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without it, what the sequencer returns means nothing."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.doorbells.scaling_config[0].maximum_concurrency == 2
    error_message = "SQS allows no less; one message group keeps the order."
  }
}

run "a_person_is_woken_for_lag_in_the_stream_and_the_queue_and_for_what_was_given_up" {
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => "${alarm.metric_name} ${join("", values(alarm.dimensions))} ${alarm.threshold}" } == {
      relay-lag    = "IteratorAge orders-relay 60000"
      lag          = "ApproximateAgeOfOldestMessage orders-doorbells.fifo 60"
      dead-letters = "ApproximateNumberOfMessagesVisible orders-dead-letters.fifo 0"
      failures     = "ApproximateNumberOfMessagesVisible orders-failures 0"
    }
    error_message = "Lag and lost doorbells have no other sign."
  }
}
