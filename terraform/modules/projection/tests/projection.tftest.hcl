mock_provider "aws" {
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
  name       = "balances"
  projection = "balances"
  package    = "../../../VERSION" # any file
  handler    = "shop.balances.handler"
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

run "the_function_reads_the_store_and_writes_its_own_table" {
  assert {
    condition = alltrue([for statement in local.statements : length(setintersection(statement.actions, [
      "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    ])) == 0 if !contains(statement.resources, "arn:aws:dynamodb:us-east-1:123456789012:table/balances")])
    error_message = "A projection never writes events."
  }
  assert {
    condition     = contains(local.statements, var.store.statements.get_all_events[0])
    error_message = "It reads the log as the pattern's own function does."
  }
  assert {
    condition = jsondecode(local.environment.STORE) == {
      pattern      = "ksuid"
      environments = { get_aggregate_events = { TABLE = "events" }, get_all_events = { TABLE = "events" } }
      late_seconds = 10
    }
    error_message = "The function finds in its environment what it needs to read the store."
  }
}

run "it_is_woken_every_minute_and_missed_when_it_is_silent" {
  assert {
    condition     = aws_cloudwatch_event_rule.this.schedule_expression == "rate(1 minute)" && aws_cloudwatch_event_target.this.arn == module.function.function_arn
    error_message = "Nothing but the schedule brings in what nobody has told of."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "breaching" && alarm.dimensions.service == "balances"])
    error_message = "A projection that tells nothing is one that does not run."
  }
}
