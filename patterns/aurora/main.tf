# An Aurora cluster that nothing but the Data API reaches, its schema, and the three operations on it.

locals {
  environment = {
    CLUSTER_ARN = aws_rds_cluster.this.arn
    DATABASE    = aws_rds_cluster.this.database_name
  }

  # Who logs in as whom. The master user, whose password RDS manages, is for migrations alone.
  secrets = {
    master = aws_rds_cluster.this.master_user_secret[0].secret_arn
    writer = aws_secretsmanager_secret.login["writer"].arn
    reader = aws_secretsmanager_secret.login["reader"].arn
  }
  logins = { store_events = "writer", get_aggregate_events = "reader", get_all_events = "reader" }

  migrate_environment = merge(local.environment, {
    # A restored cluster may have the name of the one before, and so its ARN, but never its resource id.
    CLUSTER_ID        = aws_rds_cluster.this.cluster_resource_id
    SECRET_ARN        = local.secrets.master
    WRITER_SECRET_ARN = local.secrets.writer
    READER_SECRET_ARN = local.secrets.reader
  })

  # One statement a call: no operation opens a transaction of its own.
  statements = { for login, secret in local.secrets : login => [
    { actions = ["rds-data:ExecuteStatement"], resources = [aws_rds_cluster.this.arn] },
    { actions = ["secretsmanager:GetSecretValue"], resources = [secret] },
  ] }
  migrate_statements = concat(local.statements.master, [{
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [local.secrets.writer, local.secrets.reader]
  }])

  # A version without its minor part is kept up to date by AWS. An exact one must stay what it is: if AWS upgraded it,
  # Terraform would ask for a downgrade, which is refused.
  engine_major       = split(".", var.engine_version)[0]
  upgrades_by_itself = var.engine_version == local.engine_major

  seconds_until_auto_pause = var.min_capacity == 0 ? var.seconds_until_auto_pause : null # AWS takes it with 0 only

  migrations = { for file in fileset(path.module, "migrations/*.sql") : file => filesha256("${path.module}/${file}") }
}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

# When the store was made, for the name of its final snapshot, which no other store of that name has had.
resource "terraform_data" "made_at" {
  input = plantimestamp()

  lifecycle {
    ignore_changes = [input]
  }
}

# The name that the cluster was made with.
resource "terraform_data" "name" {
  input = module.identity.name

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_rds_cluster_parameter_group" "this" {
  name   = "${module.identity.name}-${local.engine_major}"
  family = "aurora-postgresql${local.engine_major}"
  tags   = var.tags

  # A transaction that stays open after it has written stops all readers of the cluster.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = 1000 * var.idle_in_transaction_seconds
  }

  lifecycle {
    create_before_destroy = true # the cluster uses it until it is upgraded
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = module.identity.name
  engine             = "aurora-postgresql"
  engine_version     = var.engine_version
  database_name      = "events"
  tags               = var.tags

  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name

  snapshot_identifier = try(var.restore.snapshot, null)

  dynamic "restore_to_point_in_time" {
    for_each = try(var.restore.cluster, null) == null ? [] : [var.restore]

    content {
      source_cluster_identifier  = restore_to_point_in_time.value.cluster
      restore_to_time            = restore_to_point_in_time.value.time
      use_latest_restorable_time = restore_to_point_in_time.value.time == null ? true : null
    }
  }

  # RDS makes the password, keeps it in Secrets Manager and rotates it: no state and no person ever has it.
  master_username               = "events"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  enable_http_endpoint   = true
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]

  storage_encrypted         = true
  kms_key_id                = var.kms_key_arn
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = "${module.identity.name}-final-${formatdate("YYYYMMDDhhmmss", terraform_data.made_at.output)}"
  apply_immediately         = true

  serverlessv2_scaling_configuration {
    min_capacity             = var.min_capacity
    max_capacity             = var.max_capacity
    seconds_until_auto_pause = local.seconds_until_auto_pause
  }

  lifecycle {
    ignore_changes = [snapshot_identifier, restore_to_point_in_time] # where it came from: no reason to replace a store

    precondition {
      condition     = module.identity.name == terraform_data.name.output
      error_message = "The cluster ${terraform_data.name.output} would be replaced by an empty one called ${module.identity.name}: keep the name, or deploy a second store beside it."
    }
  }
}

# The first becomes the writer, which serves all operations; further ones take over when it fails.
resource "aws_rds_cluster_instance" "this" {
  count = var.instances

  identifier         = "${module.identity.name}-${count.index}"
  cluster_identifier = aws_rds_cluster.this.id
  engine             = aws_rds_cluster.this.engine
  engine_version     = aws_rds_cluster.this.engine_version
  instance_class     = "db.serverless"

  auto_minor_version_upgrade = local.upgrades_by_itself

  promotion_tier    = 1 # pauses and scales with the writer
  apply_immediately = true
  tags              = var.tags
}

# The function migrate puts the password in, so it is in no state. A deployment can always make another: no need to keep it.
resource "aws_secretsmanager_secret" "login" {
  for_each = { writer = "appends events", reader = "reads events" }

  name_prefix             = "${module.identity.name}-${each.key}-"
  description             = "Login of the database role that ${each.value}."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0
  tags                    = var.tags
}

module "migrate" {
  source = "../../terraform/modules/lambda_function"

  name        = "${module.identity.name}-migrate"
  description = "Bring the schema up to date."
  service     = module.identity.name
  package     = module.identity.package
  handler     = "patterns.${module.identity.pattern}.migrate.handler"
  statements  = local.migrate_statements
  environment = local.migrate_environment
  timeout     = 900 # a migration may take longer than the 45 s of a call, and is waited for

  function_settings = var.function_settings
  kms_key_arn       = var.kms_key_arn
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}

resource "aws_lambda_invocation" "migrate" {
  function_name = module.migrate.function_name
  input         = jsonencode({ restored = var.restore != null })

  triggers = {
    migrations = jsonencode(local.migrations)
    package    = filesha256(module.identity.package)      # its files are what runs, be they those of this module or not
    cluster    = aws_rds_cluster.this.cluster_resource_id # a restored one has what its backup had
    secrets    = jsonencode([local.secrets.writer, local.secrets.reader])
  }

  depends_on = [aws_rds_cluster_instance.this]
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  environment  = local.environment
  environments = { for operation, login in local.logins : operation => { SECRET_ARN = local.secrets[login] } }
  statements = {
    store_events         = local.statements[local.logins.store_events]
    get_aggregate_events = local.statements[local.logins.get_aggregate_events]
    get_all_events       = local.statements[local.logins.get_all_events]
  }
  timeout = var.timeout

  depends_on = [aws_lambda_invocation.migrate] # no code runs before the schema it was written for

  operation_settings = var.operation_settings
  function_settings  = var.function_settings
  kms_key_arn        = var.kms_key_arn
  alarm_actions      = var.alarm_actions
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    ACUUtilization = {
      threshold   = 90
      description = "${module.identity.name} has been at its maximum capacity for a quarter of an hour: raise max_capacity."
    }
    MaximumUsedTransactionIDs = {
      threshold   = 1000000000
      description = "${module.identity.name} has a billion transactions that were not vacuumed: PostgreSQL stops writing at two."
    }
    UnsettledSeconds = {
      namespace   = "EventStore"
      dimensions  = { service = module.identity.name }
      period      = 60
      threshold   = 2 * var.idle_in_transaction_seconds
      description = "Readers of ${module.identity.name} have waited for an open transaction: the README says how to find and end it."
    }
  }

  alarm_name          = "${module.identity.name}-${lower(each.key)}"
  alarm_description   = each.value.description
  namespace           = try(each.value.namespace, "AWS/RDS")
  metric_name         = each.key
  dimensions          = try(each.value.dimensions, { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier })
  statistic           = "Maximum"
  period              = try(each.value.period, 300)
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # it is paused, or nobody reads
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
