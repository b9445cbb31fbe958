# One Lambda function with a role of its own, a log group that expires, and alarms on errors and throttles.

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

  # Without its policy the first invocations would be refused.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_iam_role" "this" {
  name = var.name
  tags = var.tags

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
    )
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.function_settings.log_retention_days
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
