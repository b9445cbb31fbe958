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
  target = module.store.module.events.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000"
  }
}

override_resource {
  target = module.store.module.log.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders-log" }
}

override_resource {
  target = module.store.aws_sqs_queue.failures
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

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "a_store_as_it_comes" {
  # The outputs name the functions and the tables.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log"
    ) && output.sequencer == "orders-sequencer" && output.sweep == "orders-sweep"
    error_message = "Other programs find the store by these outputs."
  }

  # The queue is fifo and keeps messages for 14 days.
  assert {
    condition     = aws_sqs_queue.doorbells.fifo_queue && aws_sqs_queue.doorbells.visibility_timeout_seconds == 180
    error_message = "The timeout is six times the function's."
  }
  assert {
    condition     = aws_sqs_queue.doorbells.message_retention_seconds == 1209600
    error_message = "An outage may last for 14 days."
  }

  # A batch reports what failed in it.
  assert {
    condition     = aws_lambda_event_source_mapping.doorbells.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without it, what the sequencer returns means nothing."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.doorbells.scaling_config[0].maximum_concurrency == 2
    error_message = "SQS allows no less; one message group keeps the order."
  }

  # A person is woken for lag in the stream and the queue and for what was set aside.
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => "${alarm.metric_name} ${join("", values(alarm.dimensions))} ${alarm.threshold}" } == {
      relay-lag = "IteratorAge orders-relay 60000"
      lag       = "ApproximateAgeOfOldestMessage orders-doorbells.fifo 60"
      failures  = "ApproximateNumberOfMessagesVisible orders-failures 0"
    }
    error_message = "Lag and lost doorbells have no other sign."
  }

  # Relay and sequencer may send and receive and see no events.
  assert {
    condition = slice(local.relay_statements, 3, length(local.relay_statements)) == [
      { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders-doorbells.fifo"] },
      ] && !anytrue([
        for action in flatten(local.relay_statements[*].actions) : contains(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], action)
    ])
    error_message = "The relay sees keys and never an event."
  }
  assert {
    condition = local.sequencer_statements == [{
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      resources = ["arn:aws:sqs:us-east-1:123456789012:orders-doorbells.fifo"]
    }]
    error_message = "Of the queue the sequencer takes; it sends nothing."
  }
}
