# One event store as a company runs it: a key of its own, roles within a permissions boundary, caps on what it may cost, alarms that reach
# somebody, a dashboard, backups in a vault of their own, state in S3.

provider "aws" {
  region = var.region

  default_tags {
    tags = { service = "orders" }
  }
}

module "orders" {
  source = "../../patterns/single_writer"

  name          = "orders"
  kms_key_arn   = aws_kms_key.this.arn
  alarm_actions = [aws_sns_topic.alarms.arn]

  function_settings = {
    permissions_boundary = var.permissions_boundary
    role_path            = "/event-stores/"
    tracing              = true
    log_retention_days   = 90
  }

  # What a caller that runs wild may cost at the most.
  operation_settings = {
    store_events = { reserved_concurrency = 50 }
  }

  table_settings = {
    max_write_units = 2000
    append_only     = true
  }
}

module "dashboard" {
  source = "../../terraform/modules/dashboard"

  arns = module.orders.arns
}

module "backup" {
  source = "../../terraform/modules/backup"

  name          = "orders"
  resources     = values(module.orders.arns.tables)
  kms_key_arn   = aws_kms_key.this.arn
  role_settings = { permissions_boundary = var.permissions_boundary, path = "/event-stores/" }
}

# For the roles of the services that call the store.
resource "aws_iam_policy" "callers" {
  for_each = module.orders.invoke_policies

  name   = "orders-${each.key}"
  path   = "/event-stores/"
  policy = each.value
}

resource "aws_sns_topic" "alarms" {
  name              = "orders-alarms"
  kms_master_key_id = aws_kms_key.this.arn
}
