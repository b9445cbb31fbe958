# Each plan is of a store that is not there yet.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_resource "aws_rds_cluster" {
    defaults = {
      arn                = "arn:aws:rds:us-east-1:123456789012:cluster:orders"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders" }]
    }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-role" }
  }
  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-given" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/orders" }
  }
}

# The package is the one that the build has made.
variables {
  name = "orders"
}

run "a_cluster_is_made_from_a_snapshot" {
  command = plan
  variables {
    restore = { snapshot = "orders-final-20261125020000" }
  }
  assert {
    condition = aws_rds_cluster.this.snapshot_identifier == "orders-final-20261125020000" && (
      length(aws_rds_cluster.this.restore_to_point_in_time) == 0 && jsondecode(aws_lambda_invocation.migrate.input).restored
    )
    error_message = "And the function migrate is told, which raises the offsets to come."
  }
}

run "a_cluster_is_made_from_another_at_a_moment" {
  command = plan
  variables {
    restore = { cluster = "invoices", time = "2026-11-25T02:00:00Z" }
  }
  assert {
    condition = aws_rds_cluster.this.snapshot_identifier == null && (
      one(aws_rds_cluster.this.restore_to_point_in_time).source_cluster_identifier == "invoices" &&
      one(aws_rds_cluster.this.restore_to_point_in_time).restore_to_time == "2026-11-25T02:00:00Z" &&
      jsondecode(aws_lambda_invocation.migrate.input).restored
    )
    error_message = "As it was then."
  }
}

run "a_cluster_is_made_from_another_as_it_is" {
  command = plan
  variables {
    restore = { cluster = "invoices" }
  }
  assert {
    condition     = one(aws_rds_cluster.this.restore_to_point_in_time).use_latest_restorable_time
    error_message = "Without a time, the latest."
  }
}

run "a_restore_of_two_things_is_refused" {
  command = plan
  variables {
    restore = { snapshot = "one", cluster = "another" }
  }
  expect_failures = [var.restore]
}

run "a_restore_of_nothing_is_refused" {
  command = plan
  variables {
    restore = {}
  }
  expect_failures = [var.restore]
}

run "a_snapshot_has_no_time_to_choose" {
  command = plan
  variables {
    restore = { snapshot = "one", time = "2026-11-25T02:00:00Z" }
  }
  expect_failures = [var.restore]
}

run "a_store_is_made" {}

run "a_store_that_is_there_is_never_replaced_by_a_backup" {
  variables {
    restore = { snapshot = "orders-final-20261125020000" }
  }
  assert {
    condition     = aws_rds_cluster.this.snapshot_identifier == null && aws_rds_cluster.this.arn == run.a_store_is_made.cluster_arn
    error_message = "A variable that is set too late must not cost a store."
  }
}
