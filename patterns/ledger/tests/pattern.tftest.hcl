mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:orders" }
  }
  mock_resource "aws_lambda_invocation" {
    defaults = { result = "{\"keys\": [\"orders+00000000+AQ==\"]}" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/orders-publish" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::orders-tiles" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

override_resource {
  target = module.events.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" }
}

override_resource {
  target = module.log.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders-log" }
}

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "a_store_as_it_comes" {
  # The outputs name the functions the tables and the log.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.table == "orders" && output.log_table == "orders-log"
    )
    error_message = "Other programs find the store by these outputs."
  }
  assert {
    condition     = output.publish == "orders-publish" && output.get_digest == "orders-get-digest" && output.get_proof == "orders-get-proof"
    error_message = "Other programs find the functions by these outputs."
  }
  assert {
    condition     = output.log_origin == "orders.us-east-1.123456789012" && output.log_keys == ["orders+00000000+AQ=="]
    error_message = "Who verifies needs the log's name and its keys."
  }

  # An operation may touch a table only as far as it must.
  assert {
    condition = local.statements.store_events == [
      {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
      },
      {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"]
        resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders-log"]
      },
    ]
    error_message = "store_events reads and puts; it never updates or deletes."
  }

  # Only the publisher signs and it cannot touch events.
  assert {
    condition     = [for name, function in local.functions : name if contains(flatten(function.statements[*].actions), "kms:Sign")] == ["publish"]
    error_message = "Who else could sign could fork the log."
  }
  assert {
    condition     = !anytrue([for action in flatten(local.functions.publish.statements[*].actions) : can(regex("dynamodb:(Put|Update|Delete)", action))])
    error_message = "The publisher reads the log."
  }
  assert {
    condition = [for name, function in local.functions : name if anytrue([
      for action in flatten(function.statements[*].actions) : can(regex("dynamodb:(Put|Update|Delete)", action))
    ])] == ["erase"]
    error_message = "Of the functions beside the three operations, one writes into the tables."
  }
  assert {
    condition = !anytrue([
      for action in flatten([for function in values(local.functions) : function.statements[*].actions]) : can(regex("s3:(Delete|Bypass|PutObjectRetention|PutBucket)", action))
    ])
    error_message = "No function can remove what is published."
  }

  # A version of a file cannot be removed.
  assert {
    condition     = aws_s3_bucket.tiles.object_lock_enabled && one(aws_s3_bucket_versioning.tiles.versioning_configuration).status == "Enabled"
    error_message = "Object Lock keeps versions."
  }
  assert {
    condition     = one(one(aws_s3_bucket_object_lock_configuration.tiles.rule).default_retention).days == 365
    error_message = "Each file is kept from when it is put."
  }
}

run "public_witnesses_demand_an_ed25519_signature_too" {
  variables {
    ed25519_key_arn = "arn:aws:kms:us-east-1:123456789012:key/2"
  }
  assert {
    condition     = local.keys == ["arn:aws:kms:us-east-1:123456789012:key/1", "arn:aws:kms:us-east-1:123456789012:key/2"]
    error_message = "Both keys sign."
  }
}

run "another_account_may_verify_and_not_sign" {
  variables {
    verifier_accounts = ["210987654321"]
  }
  assert {
    condition = [for statement in jsondecode(aws_kms_key.p256.policy).Statement : [statement.Action, statement.Principal.AWS]] == [
      [["kms:*"], "arn:aws:iam::123456789012:root"],
      [["kms:GetPublicKey", "kms:Verify"], ["arn:aws:iam::210987654321:root"]],
    ]
    error_message = "A witness verifies what the log has signed."
  }
}
