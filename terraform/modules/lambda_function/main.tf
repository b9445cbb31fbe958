# One Lambda function with a role of its own, a log group that expires, and alarms on errors and throttles.

locals {
  # Roles are global: a store of the same name in another region has roles of its own. The region is taken from what is made
  # in it, since a data source is read late, and then replaces the role, wherever something depends on the whole module.
  region    = element(split(":", aws_cloudwatch_log_group.this.arn), 3)
  role_name = "${var.name}-${local.region}"

  # A role needs the key only for what the services decrypt or encrypt on its behalf. Lambda itself decrypts the environment
  # variables by a grant that it makes (repost.aws/knowledge-center/lambda-kmsaccessdeniedexception-errors, read 2026-11).
  actions     = flatten(var.statements[*].actions)
  decrypts    = [for service in ["dynamodb", "s3", "sqs", "secretsmanager"] : service if anytrue([for action in local.actions : startswith(action, "${service}:")])]
  encrypts    = [for action, service in { "s3:PutObject" = "s3", "sqs:SendMessage" = "sqs", "secretsmanager:PutSecretValue" = "secretsmanager" } : service if contains(local.actions, action)]
  key_actions = { "kms:Decrypt" = local.decrypts, "kms:GenerateDataKey" = local.encrypts }

  # What the options need of the role, each only where it is chosen. A network interface and a trace have no ARN beforehand
  # (dg/configuration-vpc, dg/services-xray).
  network_actions = [
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
  ]
  option_statements = concat(
    [for action, services in local.key_actions : {
      Effect    = "Allow"
      Action    = [action]
      Resource  = [var.kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = [for service in services : "${service}.${split(":", var.kms_key_arn)[3]}.amazonaws.com"] } }
    } if var.kms_key_arn != null && length(services) > 0],
    [for actions in [["xray:PutTraceSegments", "xray:PutTelemetryRecords"]] : {
      Effect   = "Allow"
      Action   = actions
      Resource = ["*"]
    } if var.function_settings.tracing],
    [for actions in [local.network_actions] : {
      Effect   = "Allow"
      Action   = actions
      Resource = ["*"]
    } if var.function_settings.vpc != null],
    # Lambda needs these rights, with the function's role; its code does not.
    [for actions in [local.network_actions] : {
      Effect    = "Deny"
      Action    = actions
      Resource  = ["*"]
      Condition = { ArnLike = { "lambda:SourceFunctionArn" = "arn:*:lambda:*:*:function:${var.name}" } }
    } if var.function_settings.vpc != null],
  )
}

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = var.handler
  runtime                        = "python3.13"
  architectures                  = [var.function_settings.architecture]
  timeout                        = var.timeout
  memory_size                    = var.function_settings.memory_size
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = var.kms_key_arn
  publish                        = var.alias != null
  tags                           = var.tags

  environment {
    variables = merge({
      POWERTOOLS_SERVICE_NAME      = var.service
      POWERTOOLS_METRICS_NAMESPACE = "EventStore"
      POWERTOOLS_LOG_LEVEL         = var.function_settings.log_level
    }, var.environment)
  }

  logging_config {
    log_format = "Text" # the handlers log JSON themselves
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tracing_config {
    mode = var.function_settings.tracing ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.function_settings.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "snap_start" {
    for_each = try(var.alias.snap_start, false) ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  # Without its policy the first invocations would be refused.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  count = var.alias == null ? 0 : 1

  name             = "live"
  description      = "The version that callers invoke."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = try(var.alias.provisioned_concurrency, null) == null ? 0 : 1

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live[0].name
  provisioned_concurrent_executions = var.alias.provisioned_concurrency
}

resource "aws_iam_role" "this" {
  name                 = length(local.role_name) <= 64 ? local.role_name : "${substr(local.role_name, 0, 55)}-${substr(sha256(local.role_name), 0, 8)}"
  path                 = var.function_settings.role_path
  permissions_boundary = var.function_settings.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      }],
      [for statement in var.statements : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }],
      local.option_statements,
    )
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.function_settings.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    Errors = { threshold = 0, description = "${var.name} fails: its log group holds the exceptions." }
    Throttles = {
      threshold   = var.throttles_threshold
      description = "${var.name} is throttled: raise its reservation or the account's quota."
    }
  }

  alarm_name          = "${var.name}-${lower(each.key)}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.key
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
