mock_provider "aws" {}

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
