mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead-letters" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/balances" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/balances" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:balances" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:balances" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/balances" }
  }
}

variables {
  target       = "arn:aws:sqs:us-east-1:123456789012:billing.fifo"
  event_source = "/orders"
  name         = "orders"
  package      = "../../../VERSION" # any file
  store = {
    pattern      = "ksuid"
    environments = { store_events = { TABLE = "events" }, get_aggregate_events = { TABLE = "events" }, get_all_events = { TABLE = "events" } }
    statements = {
      store_events         = [{ actions = ["dynamodb:PutItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/events"] }]
      get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/events"] }]
      get_all_events       = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/events"] }]
    }
    late_seconds = 10
  }
}

run "the_function_may_send_to_its_target_and_to_its_dead_letters" {
  assert {
    condition     = output.dead_letters.arn == "arn:aws:sqs:us-east-1:123456789012:orders-dead-letters" && aws_cloudwatch_metric_alarm.dead_letters.threshold == 0
    error_message = "What was refused is kept, and somebody is told."
  }
  assert {
    condition     = alltrue([for actions in values(local.permissions) : alltrue([for action in actions : !strcontains(action, "*")])])
    error_message = "Least privilege for every kind of target."
  }
}

run "a_target_of_another_kind_is_no_plan" {
  command = plan
  variables {
    target = "arn:aws:s3:::bucket"
  }
  expect_failures = [var.target]
}
