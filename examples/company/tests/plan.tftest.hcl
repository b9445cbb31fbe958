mock_provider "aws" {}

variables {
  permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
}

run "a_store_is_planned_together_with_its_key" {
  command = plan
  assert {
    condition     = output.store_events == "orders-store-events" && toset(keys(aws_iam_policy.callers)) == toset(["append", "read"])
    error_message = "Callers find the functions and the policies to invoke them."
  }
  assert {
    condition     = length([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement if contains(keys(statement.Principal), "Service")]) == 2
    error_message = "Log groups and alarms use the key by its policy, everybody else by theirs."
  }
}
