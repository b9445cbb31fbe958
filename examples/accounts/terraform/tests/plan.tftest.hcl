mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:dead-letters" }
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
  package = "../../../VERSION" # any file
  store = {
    pattern      = "single_writer"
    environments = { store_events = { TABLE = "events" }, get_aggregate_events = { TABLE = "events" }, get_all_events = { LOG_TABLE = "log" } }
    statements = {
      store_events         = [{ actions = ["dynamodb:PutItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/events"] }]
      get_aggregate_events = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/events"] }]
      get_all_events       = [{ actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/log"] }]
    }
    late_seconds = 0
  }
}

run "other_programs_find_the_functions_by_these_outputs" {
  assert {
    condition = output.accounts_command == "eventstore-single-writer-accounts-command" && output.accounts_query == "eventstore-single-writer-accounts-query" && (
      output.accounts_projections["daily-totals"] == "eventstore-single-writer-accounts-daily-totals"
    )
    error_message = "The sample is named after the pattern that it is put on."
  }
}

run "commands_write_events_and_queries_write_nothing" {
  assert {
    condition     = toset(flatten(local.stores.command.statements[*].actions)) == toset(["dynamodb:PutItem", "dynamodb:Query"])
    error_message = "A command loads its accounts and stores events."
  }
  assert {
    condition     = toset(flatten(local.stores.query.statements[*].actions)) == toset(["dynamodb:Query"])
    error_message = "A query looks at the log for the lag."
  }
  assert {
    condition     = jsondecode(local.stores.query.environment).environments == { get_all_events = { LOG_TABLE = "log" } }
    error_message = "It knows of no other operation."
  }
}

run "options_bring_their_own_resources" {
  variables {
    snapshot_every = 100
    push_to        = "arn:aws:sqs:us-east-1:123456789012:billing.fifo"
  }
  assert {
    condition     = module.snapshots[0].name == "eventstore-single-writer-accounts-snapshots" && length(local.followers) == 4
    error_message = "Commands keep snapshots there, and wake the subscription too."
  }
}
