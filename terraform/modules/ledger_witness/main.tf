# A witness of ledgers (c2sp.org/tlog-witness), for an account in which nobody who could forge them has rights: a function behind a
# URL, a table of what it has cosigned, and a key.

locals {
  key = coalesce(var.key_arn, one(module.key[*].arn))
}

module "key" {
  source = "../ed25519_key"
  count  = var.key_arn == null ? 1 : 0

  name                    = "${var.name}-key"
  description             = "Cosigns the checkpoints that ${var.name} has seen."
  deletion_window_in_days = var.deletion_protection ? 30 : 7
  tags                    = var.tags
}

module "seen" {
  source = "../dynamodb_table"

  name      = var.name
  hash_key  = { name = "origin", type = "S" }
  range_key = null

  deletion_protection = var.deletion_protection
  # Restored to an earlier time it would let the witness cosign a fork, so there is nothing to restore.
  point_in_time_recovery = false
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
}

module "function" {
  source = "../lambda_function"

  name        = "${var.name}-witness"
  description = "Cosigns checkpoints that extend those it saw last."
  service     = var.name
  package     = coalesce(var.package, "${path.module}/../../../.build/ledger.zip")
  handler     = "patterns.ledger.witness.handler"
  statements = [
    { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [module.seen.arn] },
    { actions = ["kms:GetPublicKey", "kms:Sign"], resources = [local.key] },
    { actions = ["kms:GetPublicKey", "kms:Verify"], resources = distinct(values(var.logs)) },
  ]
  environment = {
    WITNESS_NAME  = var.witness_name
    WITNESS_KEY   = local.key
    WITNESS_TABLE = module.seen.name
    WITNESSED     = jsonencode(var.logs)
  }

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}

resource "aws_lambda_function_url" "this" {
  function_name      = module.function.function_name
  authorization_type = var.public ? "NONE" : "AWS_IAM"
}

resource "aws_lambda_permission" "public" {
  count = var.public ? 1 : 0

  action                 = "lambda:InvokeFunctionUrl"
  function_name          = module.function.function_name
  function_url_auth_type = "NONE"
  principal              = "*"
}
