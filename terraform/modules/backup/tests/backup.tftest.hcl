mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders-backup" }
  }
}

variables {
  name      = "orders"
  resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/orders"]
}

run "the_resources_are_backed_up_every_night_and_kept" {
  assert {
    condition = aws_backup_selection.this.resources == toset(var.resources) && alltrue([for rule in aws_backup_plan.this.rule :
      rule.schedule == "cron(0 3 * * ? *)" && rule.lifecycle[0].delete_after == 90 && rule.target_vault_name == "orders"
    ])
    error_message = "A plan that forgets a table, or keeps nothing, is none."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.this.policy_arn == "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup" && length(aws_backup_vault_lock_configuration.this) == 0
    error_message = "The role is allowed to make backups."
  }
}

run "a_company_sets_its_own_key_boundary_path_and_lock" {
  variables {
    kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    lock          = true
    role_settings = { permissions_boundary = "arn:aws:iam::123456789012:policy/boundary", path = "/stores/" }
  }
  assert {
    condition = aws_backup_vault_lock_configuration.this[0].min_retention_days == 90 && aws_iam_role.this.path == "/stores/" && (
      aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    )
    error_message = "A locked vault keeps each backup for its days."
  }
}

run "a_plan_of_nothing_is_refused" {
  command = plan
  variables {
    resources = []
  }
  expect_failures = [var.resources]
}
