mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" }
  }
}

variables {
  name                = "orders"
  hash_key            = { name = "aggregateId", type = "S" }
  range_key           = { name = "aggregateVersion", type = "N" }
  deletion_protection = true
}

run "the_table_is_on_demand_encrypted_backed_up_and_guarded" {
  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "An idle store must cost nothing but storage."
  }
  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].enabled && aws_dynamodb_table.this.point_in_time_recovery[0].enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "Events must be encrypted, recoverable and hard to delete by mistake."
  }
  assert {
    condition     = aws_dynamodb_table.this.stream_enabled == false && output.stream_arn == null
    error_message = "There is a stream only where one is asked for."
  }
  assert {
    condition = aws_dynamodb_table.this.table_class == "STANDARD" && (
      length(aws_dynamodb_table.this.on_demand_throughput) == 0 && length(aws_dynamodb_resource_policy.append_only) == 0
    )
    error_message = "What costs money, throttles or locks somebody out is off until somebody turns it on."
  }
}

run "a_company_sets_its_own_key_class_caps_and_writers" {
  variables {
    indexes = {
      by-id = { hash_key = { name = "TYPE", type = "S" }, range_key = { name = "aggregateId", type = "S" } }
    }
    kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    table_settings = { table_class = "STANDARD_INFREQUENT_ACCESS", max_write_units = 500, append_only = true }
    writers        = { put = ["arn:aws:iam::123456789012:role/writer"] }
  }
  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn == var.kms_key_arn && aws_dynamodb_table.this.table_class == "STANDARD_INFREQUENT_ACCESS"
    error_message = "Key and class are the given ones."
  }
  assert {
    condition = aws_dynamodb_table.this.on_demand_throughput[0].max_write_request_units == 500 && (
      one(aws_dynamodb_table.this.global_secondary_index).on_demand_throughput[0].max_write_request_units == 500
    )
    error_message = "The caps hold for the table and for each of its indexes."
  }
  assert {
    condition = toset([for statement in jsondecode(aws_dynamodb_resource_policy.append_only[0].policy).Statement :
      join(" ", concat([statement.Effect, statement.Principal, statement.Action, statement.Resource], try(statement.Condition.ArnNotEquals["aws:PrincipalArn"], [])))
      ]) == toset([
      for denied in ["BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLInsert", "PartiQLUpdate", "PutItem", "UpdateItem"] :
      join(" ", concat(["Deny * dynamodb:${denied} arn:aws:dynamodb:us-east-1:123456789012:table/orders"], denied == "PutItem" ? var.writers.put : []))
    ])
    error_message = "Nobody but the writer puts items, and nobody changes or deletes one."
  }
}

run "who_may_delete_items_is_named" {
  variables {
    table_settings = { append_only = true }
    writers        = { put = [], delete = ["arn:aws:iam::123456789012:role/writer"] }
  }
  assert {
    condition = [for statement in jsondecode(aws_dynamodb_resource_policy.append_only[0].policy).Statement :
      statement.Condition.ArnNotEquals["aws:PrincipalArn"] if statement.Action == "dynamodb:DeleteItem"
    ] == [["arn:aws:iam::123456789012:role/writer"]]
    error_message = "Nobody but who is named deletes an item."
  }
}

run "another_table_class_is_refused" {
  command = plan
  variables {
    table_settings = { table_class = "GLACIER" }
  }
  expect_failures = [var.table_settings]
}

run "a_cap_of_nothing_is_refused" {
  command = plan
  variables {
    table_settings = { max_read_units = 0 }
  }
  expect_failures = [var.table_settings]
}

run "a_key_that_table_and_index_share_is_declared_once" {
  variables {
    indexes = {
      by-id = { hash_key = { name = "TYPE", type = "S" }, range_key = { name = "aggregateId", type = "S" } }
    }
  }
  assert {
    condition     = { for attribute in aws_dynamodb_table.this.attribute : attribute.name => attribute.type } == { aggregateId = "S", aggregateVersion = "N", TYPE = "S" }
    error_message = "Every key, and nothing else, is declared as an attribute."
  }
  assert {
    condition     = one(aws_dynamodb_table.this.global_secondary_index).projection_type == "ALL"
    error_message = "A reader of the index must get whole events."
  }
}

run "an_index_may_leave_attributes_out" {
  command = plan
  variables {
    indexes = {
      by-id = {
        hash_key   = { name = "TYPE", type = "S" }
        range_key  = { name = "aggregateId", type = "S" }
        attributes = ["eventType"]
      }
    }
  }
  assert {
    condition = one(aws_dynamodb_table.this.global_secondary_index).projection_type == "INCLUDE" && (
      one(aws_dynamodb_table.this.global_secondary_index).non_key_attributes == toset(["eventType"])
    )
    error_message = "What an index does not hold costs no write units there."
  }
}

run "throttling_of_the_table_and_of_each_index_alarms_someone" {
  variables {
    indexes = {
      by-id = { hash_key = { name = "TYPE", type = "S" }, range_key = { name = "aggregateId", type = "S" } }
    }
    alarm_actions = ["arn:aws:sns:us-east-1:123456789012:pager"]
  }
  assert {
    condition = toset([for alarm in aws_cloudwatch_metric_alarm.throttles : join(" ", concat([alarm.metric_name], values(alarm.dimensions)))]) == toset([
      "ReadThrottleEvents orders", "WriteThrottleEvents orders", "ReadThrottleEvents by-id orders", "WriteThrottleEvents by-id orders",
    ])
    error_message = "A throttled index throttles the table's writes, so each is watched."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.throttles : alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:pager"])])
    error_message = "Each alarm must reach the given topic."
  }
}

run "a_stream_can_be_asked_for" {
  variables {
    stream_view_type = "KEYS_ONLY"
  }
  assert {
    condition     = aws_dynamodb_table.this.stream_enabled && output.stream_arn == aws_dynamodb_table.this.stream_arn
    error_message = "A sequencer is woken by the stream."
  }
}

run "another_name_does_not_replace_the_table" {
  command = plan
  variables {
    name = "orders-2"
  }
  expect_failures = [aws_dynamodb_table.this]
}

run "a_name_that_dynamodb_does_not_take_is_refused" {
  command = plan
  variables {
    name = "sh"
  }
  expect_failures = [var.name]
}
