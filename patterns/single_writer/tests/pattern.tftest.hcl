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

  # A person is woken for lag and for what was set aside.
  assert {
    condition = aws_cloudwatch_metric_alarm.lag.metric_name == "IteratorAge" && aws_cloudwatch_metric_alarm.lag.threshold == 60000 && (
      aws_cloudwatch_metric_alarm.lag.dimensions == tomap({ FunctionName = "orders-sequencer" })
    )
    error_message = "Iterator age is the lag of the log."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.failures.dimensions == tomap({ QueueName = "orders-failures" }) && aws_cloudwatch_metric_alarm.failures.threshold == 0
    error_message = "What is set aside is missing from the log."
  }
}
