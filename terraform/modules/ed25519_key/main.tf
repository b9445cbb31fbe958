# A KMS key of spec ECC_NIST_EDWARDS25519. Provider 5.100 refuses the spec, so CloudFormation makes it: docs/adr/0023 says what was
# tried, and where.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_cloudformation_stack" "this" {
  name = var.name
  tags = var.tags

  template_body = jsonencode({
    Resources = {
      Key = {
        Type = "AWS::KMS::Key"
        Properties = {
          Description         = var.description
          KeySpec             = "ECC_NIST_EDWARDS25519"
          KeyUsage            = "SIGN_VERIFY"
          PendingWindowInDays = var.deletion_window_in_days
          KeyPolicy           = local.policy
        }
      }
    }
    Outputs = { Arn = { Value = { "Fn::GetAtt" = ["Key", "Arn"] } } }
  })
}

locals {
  # The account's IAM policies decide, as they do with the policy that a key has without one (kms/developerguide/key-policy-default).
  own = {
    Effect    = "Allow"
    Action    = "kms:*"
    Resource  = "*"
    Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
  }
  verifiers = [for accounts in [var.verifier_accounts] : {
    Effect    = "Allow"
    Action    = ["kms:GetPublicKey", "kms:Verify"]
    Resource  = "*"
    Principal = { AWS = [for account in accounts : "arn:${data.aws_partition.current.partition}:iam::${account}:root"] }
  } if length(accounts) > 0]
  policy = { Version = "2012-10-17", Statement = concat([local.own], local.verifiers) }
}
