# The log and the events of `log_first`, and what proves them: a bucket that nothing is removed from, keys that sign, and the
# functions that publish, prove and erase.

locals {
  origin = coalesce(var.log_origin, "${module.identity.name}.${data.aws_region.current.name}.${data.aws_caller_identity.current.account_id}")
  keys   = concat([aws_kms_key.p256.arn], var.ed25519_key_arn[*])

  # Of this account, and of those that may verify with the key.
  roots = [for account in concat([data.aws_caller_identity.current.account_id], var.verifier_accounts) :
    "arn:${data.aws_partition.current.partition}:iam::${account}:root"
  ]

  environment = {
    TABLE     = module.events.name
    LOG_TABLE = module.log.name
  }

  statements = {
    # There is no right to update or to delete. Of the log, BatchGetItem reads the payloads that a page refers to.
    store_events = [
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.events.arn] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.log.arn] },
    ]
    get_aggregate_events = [
      { actions = ["dynamodb:Query"], resources = [module.events.arn] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.log.arn] },
    ]
    get_all_events = [{ actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.log.arn] }]
  }

  # Without s3:ListBucket, S3 answers AccessDenied for a file that is not there (API_GetObject, read 2026-11).
  may_tell_what_is_missing = { actions = ["s3:ListBucket"], resources = [aws_s3_bucket.tiles.arn] }

  functions = {
    publish = {
      description = "Publishes the log as tiles under a signed checkpoint."
      timeout     = 300
      statements = [
        { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [module.log.arn] },
        { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.tiles.arn}/*"] },
        local.may_tell_what_is_missing,
        { actions = ["kms:GetPublicKey", "kms:Sign", "kms:Verify"], resources = local.keys },
      ]
    }
    get_digest = {
      description = "Answers with the latest checkpoint."
      timeout     = 30
      statements = [
        { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.tiles.arn}/checkpoint"] },
        local.may_tell_what_is_missing,
      ]
    }
    get_proof = {
      description = "Proves that an event is in the log, or that one checkpoint extends another."
      timeout     = 30
      statements = [
        { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.tiles.arn}/*"] },
        local.may_tell_what_is_missing,
      ]
    }
    erase = {
      description = "Erases the payloads of events, and leaves their proofs valid."
      timeout     = 60
      statements = [
        { actions = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"], resources = [module.events.arn, module.log.arn] },
        # A record of each erasure: without one, verification takes a payload that is gone for a loss.
        { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.tiles.arn}/erasures/*"] },
      ]
    }
    log_keys = {
      description = "Answers with the keys that verify checkpoints."
      timeout     = 30
      statements  = [{ actions = ["kms:GetPublicKey"], resources = local.keys }]
    }
  }
}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

module "events" {
  source = "../../terraform/modules/dynamodb_table"

  name      = module.identity.name
  hash_key  = { name = "aggregateId", type = "S" }
  range_key = { name = "aggregateVersion", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"], module.function["erase"].role_arn] }
}

module "log" {
  source = "../../terraform/modules/dynamodb_table"

  name      = "${module.identity.name}-log"
  hash_key  = { name = "part", type = "S" }
  range_key = { name = "firstPosition", type = "N" }

  deletion_protection    = var.deletion_protection
  point_in_time_recovery = var.point_in_time_recovery
  alarm_actions          = var.alarm_actions
  tags                   = var.tags
  table_settings         = var.table_settings
  kms_key_arn            = var.kms_key_arn
  writers                = { put = [module.api.roles["store_events"], module.function["erase"].role_arn] }
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  environment = local.environment
  statements  = local.statements

  timeout            = var.timeout
  function_settings  = var.function_settings
  alarm_actions      = var.alarm_actions
  tags               = var.tags
  operation_settings = var.operation_settings
  kms_key_arn        = var.kms_key_arn
}

module "function" {
  source   = "../../terraform/modules/lambda_function"
  for_each = local.functions

  name        = "${module.identity.name}-${replace(each.key, "_", "-")}"
  description = each.value.description
  service     = module.identity.name
  package     = module.identity.package
  handler     = "patterns.${module.identity.pattern}.${each.key}.handler"
  statements  = each.value.statements
  environment = merge(local.environment, {
    TILES_BUCKET = aws_s3_bucket.tiles.bucket
    LOG_ORIGIN   = local.origin
    LOG_KEYS     = join(",", local.keys)
  })

  timeout           = each.value.timeout
  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
  kms_key_arn       = var.kms_key_arn
}

# Its verifier keys are outputs, and their ids are hashes of bytes that are no text, which Terraform cannot compute.
resource "aws_lambda_invocation" "log_keys" {
  function_name = module.function["log_keys"].function_name
  input         = jsonencode({})
  triggers      = { keys = join(",", local.keys), origin = local.origin }
}

resource "aws_kms_key" "p256" {
  description              = "Signs the checkpoints of ${module.identity.name}."
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  deletion_window_in_days  = var.deletion_protection ? 30 : 7
  tags                     = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      # The account's IAM policies decide, as with the policy that a key has without one (kms/developerguide/key-policy-default).
      [{ Effect = "Allow", Action = ["kms:*"], Resource = "*", Principal = { AWS = local.roots[0] } }],
      [for roots in [slice(local.roots, 1, length(local.roots))] :
        { Effect = "Allow", Action = ["kms:GetPublicKey", "kms:Verify"], Resource = "*", Principal = { AWS = roots } } if length(roots) > 0
      ],
    )
  })
}

# A file is put once and stays: Object Lock keeps each version, also of files that are written again or deleted.
resource "aws_s3_bucket" "tiles" {
  bucket_prefix       = substr(lower(replace("${module.identity.name}-", "_", "-")), 0, 37)
  object_lock_enabled = true
  force_destroy       = !var.deletion_protection
  tags                = var.tags
}

resource "aws_s3_bucket_versioning" "tiles" {
  bucket = aws_s3_bucket.tiles.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "tiles" {
  bucket = aws_s3_bucket_versioning.tiles.bucket

  rule {
    default_retention {
      mode = var.object_lock.mode
      days = var.object_lock.days
    }
  }
}

resource "aws_s3_bucket_public_access_block" "tiles" {
  bucket = aws_s3_bucket.tiles.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "tiles" {
  bucket = aws_s3_bucket.tiles.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_cloudwatch_event_rule" "publish" {
  name                = "${module.identity.name}-publish"
  description         = "Publishes what the log has by now."
  schedule_expression = var.publish_schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "publish" {
  rule = aws_cloudwatch_event_rule.publish.name
  arn  = module.function["publish"].function_arn
}

resource "aws_lambda_permission" "publish" {
  action        = "lambda:InvokeFunction"
  function_name = module.function["publish"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.publish.arn
}
