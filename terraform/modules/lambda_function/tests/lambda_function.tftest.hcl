mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:orders", version = "7" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:orders:live" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/orders" }
  }
}

variables {
  name        = "orders"
  description = "Stores orders."
  service     = "shop"
  package     = "main.tf" # any file: only its hash is taken
  handler     = "lambdas.handlers.store_events"
  statements  = [{ actions = ["dynamodb:PutItem"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
}

run "the_function_runs_the_given_code_on_arm64" {
  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"])
    error_message = "arm64 is the cheaper processor."
  }
  assert {
    condition     = aws_lambda_function.this.handler == "lambdas.handlers.store_events" && aws_lambda_function.this.source_code_hash == filebase64sha256("main.tf")
    error_message = "A change of the code must reach the function."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "Without a reservation the function shares the account's concurrency."
  }
  assert {
    condition = alltrue([
      aws_lambda_function.this.kms_key_arn == null, aws_cloudwatch_log_group.this.kms_key_id == null,
      aws_lambda_function.this.tracing_config[0].mode == "PassThrough", length(aws_lambda_function.this.vpc_config) == 0,
      length(aws_lambda_function.this.snap_start) == 0, !aws_lambda_function.this.publish, length(aws_lambda_alias.live) == 0,
      length(aws_lambda_provisioned_concurrency_config.live) == 0, aws_iam_role.this.permissions_boundary == null, aws_iam_role.this.path == "/",
    ])
    error_message = "What costs money or is an organisation's own is off until somebody turns it on."
  }
  assert {
    condition     = output.invoke == { name = "orders", arn = "arn:aws:lambda:us-east-1:123456789012:function:orders" }
    error_message = "Without an alias callers invoke the function."
  }
}

run "a_company_sets_its_own_key_boundary_path_network_and_tracing" {
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    statements = [
      { actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] },
      { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:us-east-1:123456789012:orders"] },
    ]
    function_settings = {
      tracing              = true
      permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
      role_path            = "/stores/"
      vpc                  = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    }
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.kms_key_arn && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "Environment variables and log lines are encrypted with the key."
  }
  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.this.path == "/stores/"
    error_message = "Many organisations let nobody make a role without these."
  }
  assert {
    condition = aws_lambda_function.this.tracing_config[0].mode == "Active" && (
      aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1"]) && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-1"])
    )
    error_message = "The function traces, and runs in the given network."
  }
  assert {
    condition = [for statement in slice(jsondecode(aws_iam_role_policy.this.policy).Statement, 3, 8) : join(" ", concat(
      [statement.Effect], statement.Action, statement.Resource, flatten([for keys in values(try(statement.Condition, {})) : values(keys)])
      ))] == [
      "Allow kms:Decrypt ${var.kms_key_arn} dynamodb.us-east-1.amazonaws.com sqs.us-east-1.amazonaws.com",
      "Allow kms:GenerateDataKey ${var.kms_key_arn} sqs.us-east-1.amazonaws.com",
      "Allow xray:PutTraceSegments xray:PutTelemetryRecords *",
      "Allow ${join(" ", local.network_actions)} *",
      "Deny ${join(" ", local.network_actions)} * arn:*:lambda:*:*:function:orders",
    ]
    error_message = "The role may use the key through the services that it uses, and nothing more; network interfaces are Lambda's work, not its code's."
  }
}

run "a_role_that_needs_no_key_may_not_use_it" {
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    statements  = [{ actions = ["rds-data:ExecuteStatement"], resources = ["arn:aws:rds:us-east-1:123456789012:cluster:orders"] }]
    alias       = { provisioned_concurrency = 2 }
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this.policy, "kms:")
    error_message = "Lambda decrypts environment variables by a grant of its own, and CloudWatch the log by the key's policy."
  }
  assert {
    condition = alltrue([
      aws_lambda_function.this.publish, aws_lambda_alias.live[0].function_version == "7", length(aws_lambda_function.this.snap_start) == 0,
      aws_lambda_provisioned_concurrency_config.live[0].qualifier == "live", aws_lambda_provisioned_concurrency_config.live[0].provisioned_concurrent_executions == 2,
      output.invoke == { name = "orders:live", arn = "arn:aws:lambda:us-east-1:123456789012:function:orders:live" },
    ])
    error_message = "Environments are kept ready for the version behind the alias, and callers invoke that."
  }
}

run "a_version_can_start_from_a_snapshot" {
  command = plan
  variables {
    alias = { snap_start = true }
  }
  assert {
    condition     = aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions" && length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "SnapStart works on published versions only."
  }
}

run "logs_and_metrics_name_the_service" {
  variables {
    environment = { TABLE = "orders" }
  }
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      POWERTOOLS_SERVICE_NAME      = "shop"
      POWERTOOLS_METRICS_NAMESPACE = "EventStore"
      POWERTOOLS_LOG_LEVEL         = "INFO"
      TABLE                        = "orders"
    })
    error_message = "The function gets Powertools' settings and the pattern's own."
  }
}

run "the_role_is_the_functions_own_and_allows_what_was_asked_and_the_log" {
  assert {
    condition = aws_lambda_function.this.role == aws_iam_role.this.arn && jsondecode(aws_iam_role.this.assume_role_policy).Statement == [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }
    ]
    error_message = "Only Lambda may take the role on."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/orders:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
      },
    ]
    error_message = "The role must allow what was asked for and writing to its own log group, and nothing else."
  }
}

run "the_same_function_in_another_region_has_a_role_of_its_own" {
  assert {
    condition     = aws_iam_role.this.name == "orders-us-east-1"
    error_message = "Names of roles are taken in all regions at once."
  }
}

run "the_role_of_a_function_with_a_long_name_keeps_within_iams_64_characters" {
  variables {
    name = "a-store-with-a-name-that-has-forty-chars-get-aggregate-events"
  }
  assert {
    condition     = length(aws_iam_role.this.name) == 64 && startswith(aws_iam_role.this.name, "a-store-with-a-name-that-has-forty-chars-get-aggregate-")
    error_message = "What is cut off counts by its digest."
  }
}

run "the_log_group_expires" {
  variables {
    function_settings = { log_retention_days = 7 }
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 7
    error_message = "Logs that never expire cost more each month."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name
    error_message = "The function must not write to a group that Lambda makes, which never expires."
  }
}

run "errors_and_throttles_alarm_someone" {
  variables {
    alarm_actions = ["arn:aws:sns:us-east-1:123456789012:pager"]
  }
  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.this : alarm.metric_name]) == toset(["Errors", "Throttles"])
    error_message = "Errors and throttles are what a person is woken for."
  }
  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.dimensions["FunctionName"] == "orders" && alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:pager"])
    ])
    error_message = "Each alarm must watch this function and reach the given topic."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.ok_actions == alarm.alarm_actions])
    error_message = "Whom an alarm woke must hear when it is over."
  }
}

run "concurrency_can_be_reserved" {
  variables {
    reserved_concurrency = 1
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 1
    error_message = "A sequencer needs a reservation of exactly 1."
  }
}

run "a_wildcard_action_is_refused" {
  command = plan
  variables {
    statements = [{ actions = ["dynamodb:*"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"] }]
  }
  expect_failures = [var.statements]
}

run "a_wildcard_resource_is_refused" {
  command = plan
  variables {
    statements = [{ actions = ["dynamodb:PutItem"], resources = ["*"] }]
  }
  expect_failures = [var.statements]
}

run "a_function_that_is_meant_to_be_throttled_now_and_then_alarms_later" {
  variables {
    reserved_concurrency = 1
    throttles_threshold  = 600
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["Throttles"].threshold == 600 && aws_cloudwatch_metric_alarm.this["Errors"].threshold == 0
    error_message = "Only throttling is expected."
  }
}

run "a_setting_that_is_not_given_or_null_has_its_default" {
  variables {
    function_settings = { memory_size = 1024, log_level = null }
  }
  assert {
    condition = aws_lambda_function.this.memory_size == 1024 && (
      aws_lambda_function.this.environment[0].variables["POWERTOOLS_LOG_LEVEL"] == "INFO" &&
      aws_cloudwatch_log_group.this.retention_in_days == 30
    )
    error_message = "Modules hand settings on as they got them, null where nothing was said."
  }
}

run "another_architecture_is_refused" {
  command = plan
  variables {
    function_settings = { architecture = "arm" }
  }
  expect_failures = [var.function_settings]
}

run "memory_that_lambda_does_not_offer_is_refused" {
  command = plan
  variables {
    function_settings = { memory_size = 64 }
  }
  expect_failures = [var.function_settings]
}

run "a_log_level_that_does_not_exist_is_refused" {
  command = plan
  variables {
    function_settings = { log_level = "VERBOSE" }
  }
  expect_failures = [var.function_settings]
}
