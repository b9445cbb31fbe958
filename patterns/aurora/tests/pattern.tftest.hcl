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

run "a_store_as_it_comes" {
  # The outputs name the functions and the way to the database.
  assert {
    condition = output.store_events == "orders-store-events" && output.get_aggregate_events == "orders-get-aggregate-events" && (
      output.get_all_events == "orders-get-all-events" && output.migrate == "orders-migrate" && output.database == "events"
    )
    error_message = "Other programs find the store by these outputs."
  }

  # A function may execute statements on this cluster and read the secret of its own role.
  assert {
    condition = local.statements == { for login, secret in { master = "orders", writer = "orders-role", reader = "orders-role" } : login => [
      { actions = ["rds-data:ExecuteStatement"], resources = ["arn:aws:rds:us-east-1:123456789012:cluster:orders"] },
      { actions = ["secretsmanager:GetSecretValue"], resources = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:${secret}"] },
    ] }
    error_message = "No transactions, no other cluster, no other secret."
  }
  assert {
    condition     = local.logins == { store_events = "writer", get_aggregate_events = "reader", get_all_events = "reader" }
    error_message = "Nobody but the function migrate logs in as the master user."
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.login : secret.recovery_window_in_days == 0])
    error_message = "A store that is made again makes its secrets again."
  }

  # A cluster is safe and sleeps unless told otherwise.
  assert {
    condition = aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && (
      aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.backup_retention_period == 7
    )
    error_message = "What is deployed without a word about it must not be lost."
  }
  assert {
    condition     = aws_rds_cluster.this.manage_master_user_password && aws_rds_cluster.this.master_password == null
    error_message = "RDS keeps the password; no state does."
  }
  assert {
    condition = aws_rds_cluster.this.serverlessv2_scaling_configuration[0].min_capacity == 0 && (
      aws_rds_cluster.this.serverlessv2_scaling_configuration[0].seconds_until_auto_pause == 300
    )
    error_message = "Idle, it costs nothing but storage."
  }

  # An exact version stays.
  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : !instance.auto_minor_version_upgrade])
    error_message = "AWS would move it on, and the next apply would ask for a downgrade, which is refused."
  }
  assert {
    condition     = aws_rds_cluster.this.engine_version == "16.8" && aws_rds_cluster_parameter_group.this.family == "aurora-postgresql16"
    error_message = "The family follows the major version."
  }

  # The function migrate knows the cluster by an id that no other has.
  assert {
    condition     = local.migrate_environment["CLUSTER_ID"] == aws_rds_cluster.this.cluster_resource_id
    error_message = "A restored cluster may have the name of the old one, and so its ARN."
  }

  # Nothing gets in or out of the network.
  assert {
    condition     = length(aws_security_group.this.ingress) == 0 && length(aws_security_group.this.egress) == 0
    error_message = "The Data API needs no network."
  }
  assert {
    condition     = length(distinct(aws_subnet.this[*].availability_zone)) == 2
    error_message = "RDS wants two availability zones."
  }

  # The schema is brought up to date when a migration is added or the cluster is another.
  assert {
    condition = (
      toset(keys(jsondecode(aws_lambda_invocation.migrate.triggers.migrations))) == fileset(path.module, "migrations/*.sql") &&
      aws_lambda_invocation.migrate.triggers.package == filesha256(module.identity.package) &&
      aws_lambda_invocation.migrate.triggers.cluster == aws_rds_cluster.this.cluster_resource_id
    )
    error_message = "The migrations run again when these change."
  }
}

run "a_cluster_that_may_be_deleted_leaves_a_final_snapshot" {
  variables {
    deletion_protection = false
  }
  assert {
    condition = !aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && (
      can(regex("^orders-final-[0-9]{14}$", aws_rds_cluster.this.final_snapshot_identifier))
    )
    error_message = "To lift the protection is not yet to give the events up; and no two stores' snapshots have one name."
  }
}

run "a_disposable_cluster_leaves_nothing_behind" {
  variables {
    deletion_protection = false
    final_snapshot      = false
  }
  assert {
    condition     = aws_rds_cluster.this.skip_final_snapshot
    error_message = "Without a final snapshot nothing is left."
  }
}

run "a_major_version_is_kept_up_to_date" {
  variables {
    engine_version = "17"
    instances      = 2
  }
  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : instance.auto_minor_version_upgrade])
    error_message = "Of an inexact version AWS may choose the minor."
  }
  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-postgresql17"
    error_message = "The family follows the major version."
  }
}

run "what_aws_would_refuse_is_refused_before" {
  command = plan
  variables {
    engine_version           = "16.x"
    subnet_ids               = ["subnet-1"]
    min_capacity             = 0.3
    backup_retention_days    = 36
    seconds_until_auto_pause = 60
  }
  expect_failures = [var.engine_version, var.subnet_ids, var.min_capacity, var.backup_retention_days, var.seconds_until_auto_pause]
}

run "an_idle_transaction_is_ended_and_a_long_one_wakes_somebody" {
  variables {
    idle_in_transaction_seconds = 30
  }
  assert {
    condition     = one([for each in aws_rds_cluster_parameter_group.this.parameter : each.value if each.name == "idle_in_transaction_session_timeout"]) == "30000"
    error_message = "One outsider's open transaction stops every reader."
  }
  assert {
    condition     = aws_rds_cluster.this.db_cluster_parameter_group_name == aws_rds_cluster_parameter_group.this.name
    error_message = "The cluster has the group."
  }
  assert {
    condition = alltrue([
      aws_cloudwatch_metric_alarm.this["UnsettledSeconds"].namespace == "EventStore",
      aws_cloudwatch_metric_alarm.this["UnsettledSeconds"].dimensions == tomap({ service = "orders" }),
      aws_cloudwatch_metric_alarm.this["UnsettledSeconds"].threshold == 60,
      aws_cloudwatch_metric_alarm.this["ACUUtilization"].namespace == "AWS/RDS",
    ])
    error_message = "The store's own metric tells how long readers have waited."
  }
}

run "a_cluster_in_given_subnets_makes_no_network" {
  variables {
    subnet_ids = ["subnet-1", "subnet-2"]
  }
  assert {
    condition = length(aws_vpc.this) == 0 && length(aws_subnet.this) == 0 && (
      toset(aws_db_subnet_group.this.subnet_ids) == toset(["subnet-1", "subnet-2"]) && aws_security_group.this.vpc_id == "vpc-given"
    )
    error_message = "One VPC a store meets the quota of five."
  }
}

run "backups_are_kept_for_a_day_at_least" {
  command = plan
  variables {
    backup_retention_days = 0
  }
  expect_failures = [var.backup_retention_days]
}

run "a_cluster_that_never_sleeps_has_no_time_to_pause" {
  variables {
    min_capacity = 0.5
  }
  assert {
    condition     = local.seconds_until_auto_pause == null
    error_message = "AWS refuses it unless the minimum is 0."
  }
}

run "a_maximum_below_the_minimum_is_refused" {
  command = plan
  variables {
    min_capacity = 8
    max_capacity = 4
  }
  expect_failures = [var.max_capacity]
}

run "another_name_does_not_replace_the_cluster" {
  command = plan
  variables {
    name = "orders-2"
  }
  expect_failures = [aws_rds_cluster.this]
}

run "a_name_that_rds_does_not_take_is_refused" {
  command = plan
  variables {
    name = "ledger_db"
  }
  expect_failures = [var.name]
}

run "a_name_that_no_security_group_may_have_is_refused" {
  command = plan
  variables {
    name = "sg-orders"
  }
  expect_failures = [var.name]
}
