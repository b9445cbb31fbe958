mock_provider "aws" {}

variables {
  arns = {
    functions = {
      store_events         = "arn:aws:lambda:us-east-1:123456789012:function:orders-store-events:live"
      get_aggregate_events = "arn:aws:lambda:us-east-1:123456789012:function:orders-get-aggregate-events"
      get_all_events       = "arn:aws:lambda:us-east-1:123456789012:function:orders-get-all-events"
      sequencer            = "arn:aws:lambda:us-east-1:123456789012:function:orders-sequencer"
    }
    tables   = { events = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" }
    queues   = { failures = "arn:aws:sqs:us-east-1:123456789012:orders-failures" }
    clusters = {}
    alarms   = { orders-lag = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-lag" }
  }
}

run "a_store_of_tables_shows_appends_conflicts_latency_lag_throttles_and_cost" {
  assert {
    condition = output.name == "orders" && alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      try(widget.properties.region, "us-east-1") == "us-east-1"
    ])
    error_message = "The page is called after the store, and shows its region."
  }
  assert {
    condition = toset(flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
      for row in try(widget.properties.metrics, []) : try(join(" ", [for part in row : tostring(part) if can(tostring(part))]), "") if length(row) > 1
      ]])) == toset(concat(
      [for metric in ["EventsStored", "VersionConflicts", "InvalidRequests"] : "EventStore ${metric} operation store_events service orders"],
      flatten([for function in ["store-events", "get-aggregate-events", "get-all-events", "sequencer"] : [
        for metric in ["Duration", "Errors", "Throttles"] : "AWS/Lambda ${metric} FunctionName orders-${function}"
      ]]),
      ["AWS/Lambda IteratorAge FunctionName orders-sequencer", "AWS/SQS ApproximateAgeOfOldestMessage QueueName orders-failures"],
    ))
    error_message = "Each metric is one that the functions, the streams and the queues write."
  }
  assert {
    condition = toset(flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
      for row in try(widget.properties.metrics, []) : regex("MetricName=\"(\\w+)\" TableName=\"(\\w+)\"", row[0].expression) if length(row) == 1
    ]])) == toset(["orders", "WriteThrottleEvents", "ReadThrottleEvents", "ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"])
    error_message = "Throttles and capacity units are those of the store's tables."
  }
  assert {
    condition     = tolist(one([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.alarms if widget.type == "alarm"])) == tolist(["arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-lag"])
    error_message = "The alarms are on the page."
  }
}

run "a_store_of_a_cluster_shows_its_capacity_and_how_long_readers_wait" {
  variables {
    arns = {
      functions = {
        store_events         = "arn:aws:lambda:us-east-1:123456789012:function:orders-store-events"
        get_aggregate_events = "arn:aws:lambda:us-east-1:123456789012:function:orders-get-aggregate-events"
        get_all_events       = "arn:aws:lambda:us-east-1:123456789012:function:orders-get-all-events"
      }
      tables   = {}
      queues   = {}
      clusters = { events = "arn:aws:rds:us-east-1:123456789012:cluster:orders" }
      alarms   = {}
    }
  }
  assert {
    condition = length(setsubtract(
      ["EventStore UnsettledSeconds service orders", "AWS/RDS ServerlessDatabaseCapacity DBClusterIdentifier orders"],
      flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for row in try(widget.properties.metrics, []) : join(" ", [for part in row : tostring(part) if can(tostring(part))])
      ]])
    )) == 0
    error_message = "What costs money and what holds readers back are the cluster's."
  }
  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "DynamoDB")
    error_message = "There is no graph of what is not there."
  }
}
