mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = { outputs = { Arn = "arn:aws:kms:us-east-1:123456789012:key/1" } }
  }
}

variables {
  name        = "orders-ed25519"
  description = "Signs checkpoints."
}

run "the_key_signs_and_the_account_decides_who_may" {
  assert {
    condition     = jsondecode(aws_cloudformation_stack.this.template_body).Resources.Key.Properties.KeySpec == "ECC_NIST_EDWARDS25519"
    error_message = "Witnesses take no other."
  }
  assert {
    condition     = local.policy.Statement == [local.own] && output.arn == "arn:aws:kms:us-east-1:123456789012:key/1"
    error_message = "Nobody outside the account may use it."
  }
}

run "another_account_may_verify_and_not_sign" {
  variables {
    verifier_accounts = ["210987654321"]
  }
  assert {
    condition     = local.policy.Statement[1].Principal.AWS == ["arn:aws:iam::210987654321:root"] && local.policy.Statement[1].Action == ["kms:GetPublicKey", "kms:Verify"]
    error_message = "A witness verifies what the log has signed."
  }
}
