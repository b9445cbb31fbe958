# An on-demand DynamoDB table that is encrypted, backed up and guarded against deletion, with alarms on throttling.

locals {
  keys = concat([var.hash_key, var.range_key], flatten([for index in var.indexes : [index.hash_key, index.range_key]]))

  # A throttled index throttles the table's writes, so each index is watched beside the table itself.
  throttles = merge([
    for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : merge(
      { "${metric}" = { metric = metric, dimensions = {} } },
      { for index in keys(var.indexes) : "${metric}-${index}" => { metric = metric, dimensions = { GlobalSecondaryIndexName = index } } },
    )
  ]...)
}

resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.hash_key.name
  range_key                   = var.range_key.name
  deletion_protection_enabled = var.deletion_protection
  stream_enabled              = var.stream_view_type != null
  stream_view_type            = var.stream_view_type
  tags                        = var.tags

  dynamic "attribute" {
    for_each = { for key in local.keys : key.name => key.type... }

    content {
      name = attribute.key
      type = one(distinct(attribute.value))
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key.name
      range_key          = global_secondary_index.value.range_key.name
      projection_type    = global_secondary_index.value.attributes == null ? "ALL" : "INCLUDE"
      non_key_attributes = global_secondary_index.value.attributes
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.throttles

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "DynamoDB refuses requests on ${var.name}: a partition is hot, or the account's limit is reached."
  namespace           = "AWS/DynamoDB"
  metric_name         = each.value.metric
  dimensions          = merge({ TableName = aws_dynamodb_table.this.name }, each.value.dimensions)
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
