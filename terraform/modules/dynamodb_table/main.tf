# An on-demand DynamoDB table that is encrypted, backed up and guarded against deletion, with alarms on throttling.

locals {
  keys = concat([for key in [var.hash_key, var.range_key] : key if key != null], flatten([for index in var.indexes : [index.hash_key, index.range_key]]))

  caps = [for settings in [var.table_settings] : settings if settings.max_read_units != null || settings.max_write_units != null]

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
  range_key                   = try(var.range_key.name, null)
  deletion_protection_enabled = var.deletion_protection
  stream_enabled              = var.stream_view_type != null
  stream_view_type            = var.stream_view_type
  table_class                 = var.table_settings.table_class
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

    # Provider 6 deprecates the two keys in favour of key_schema, which 5.100 does not have
    # (github.com/hashicorp/terraform-provider-aws/issues/46197, read 2026-11). Both versions take these.
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key.name
      range_key          = global_secondary_index.value.range_key.name
      projection_type    = global_secondary_index.value.attributes == null ? "ALL" : "INCLUDE"
      non_key_attributes = global_secondary_index.value.attributes

      dynamic "on_demand_throughput" {
        for_each = local.caps

        content {
          max_read_request_units  = on_demand_throughput.value.max_read_units
          max_write_request_units = on_demand_throughput.value.max_write_units
        }
      }
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  dynamic "on_demand_throughput" {
    for_each = local.caps

    content {
      max_read_request_units  = on_demand_throughput.value.max_read_units
      max_write_request_units = on_demand_throughput.value.max_write_units
    }
  }

  lifecycle {
    precondition {
      condition     = var.name == terraform_data.name.output
      error_message = "The table ${terraform_data.name.output} would be replaced by an empty one called ${var.name}, and its events lost: keep the name, or deploy a second store beside it."
    }
  }
}

# The name that the table was made with.
resource "terraform_data" "name" {
  input = var.name

  lifecycle {
    ignore_changes = [input]
  }
}

# No policy can demand the condition of a put, so a writer's code can still replace an item. It keeps everybody else out.
resource "aws_dynamodb_resource_policy" "append_only" {
  count = var.table_settings.append_only ? 1 : 0

  resource_arn = aws_dynamodb_table.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for action, roles in {
        "dynamodb:PutItem"        = var.writers.put
        "dynamodb:UpdateItem"     = var.writers.update
        "dynamodb:DeleteItem"     = var.writers.delete
        "dynamodb:BatchWriteItem" = []
        "dynamodb:PartiQLInsert"  = []
        "dynamodb:PartiQLUpdate"  = []
        "dynamodb:PartiQLDelete"  = []
        } : merge(
        { Effect = "Deny", Principal = "*", Action = action, Resource = aws_dynamodb_table.this.arn },
        { for operator, keys in { ArnNotEquals = { "aws:PrincipalArn" = roles } } : "Condition" => { (operator) = keys } if length(roles) > 0 },
      )
    ]
  })
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
