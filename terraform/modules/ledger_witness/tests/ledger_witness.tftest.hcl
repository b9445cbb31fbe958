mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/witness" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:witness" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/witness" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = { outputs = { Arn = "arn:aws:kms:us-east-1:123456789012:key/1" } }
  }
}

# The package is the one that the build has made.
variables {
  name         = "witness"
  witness_name = "witness.example/w1"
  logs         = { "orders+00000000+AQ==" = "arn:aws:kms:us-east-1:210987654321:key/2" }
}

run "it_makes_a_key_of_its_own_and_answers_callers_with_rights" {
  assert {
    condition     = output.key_arn == "arn:aws:kms:us-east-1:123456789012:key/1"
    error_message = "A cosignature is one by Ed25519."
  }
  assert {
    condition     = aws_lambda_function_url.this.authorization_type == "AWS_IAM" && length(aws_lambda_permission.public) == 0
    error_message = "Nobody is let in who was not meant to be."
  }
}

run "a_public_one_takes_a_key_that_is_there" {
  variables {
    public  = true
    key_arn = "arn:aws:kms:us-east-1:123456789012:key/3"
  }
  assert {
    condition     = output.key_arn == "arn:aws:kms:us-east-1:123456789012:key/3" && length(module.key) == 0
    error_message = "No other key is made."
  }
  assert {
    condition     = aws_lambda_function_url.this.authorization_type == "NONE" && length(aws_lambda_permission.public) == 1
    error_message = "Logs submit without rights in this account."
  }
}
