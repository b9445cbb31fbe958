# An Aurora cluster that nothing but the Data API reaches, its schema, and the three operations on it.

locals {
  environment = {
    CLUSTER_ARN = aws_rds_cluster.this.arn
    SECRET_ARN  = aws_rds_cluster.this.master_user_secret[0].secret_arn
    DATABASE    = aws_rds_cluster.this.database_name
  }

  # One statement a call: no operation opens a transaction of its own.
  statements = [
    { actions = ["rds-data:ExecuteStatement"], resources = [aws_rds_cluster.this.arn] },
    { actions = ["secretsmanager:GetSecretValue"], resources = [local.environment.SECRET_ARN] },
  ]

  seconds_until_auto_pause = var.min_capacity == 0 ? var.seconds_until_auto_pause : null # AWS takes it with 0 only

  migrations = { for file in fileset(path.module, "migrations/*.sql") : file => filesha256("${path.module}/${file}") }
}

module "identity" {
  source = "../../terraform/modules/pattern_identity"

  folder  = path.module
  name    = var.name
  package = var.package
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = module.identity.name
  engine             = "aurora-postgresql"
  engine_version     = var.engine_version
  database_name      = "events"
  tags               = var.tags

  # RDS makes the password, keeps it in Secrets Manager and rotates it: no state and no person ever has it.
  master_username             = "events"
  manage_master_user_password = true

  enable_http_endpoint   = true
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]

  storage_encrypted         = true
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = "${module.identity.name}-final"
  apply_immediately         = true

  serverlessv2_scaling_configuration {
    min_capacity             = var.min_capacity
    max_capacity             = var.max_capacity
    seconds_until_auto_pause = local.seconds_until_auto_pause
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
  promotion_tier     = 1 # pauses and scales with the writer
  apply_immediately  = true
  tags               = var.tags
}

module "migrate" {
  source = "../../terraform/modules/lambda_function"

  name        = "${module.identity.name}-migrate"
  description = "Bring the schema up to date."
  service     = module.identity.name
  package     = module.identity.package
  handler     = "patterns.${module.identity.pattern}.migrate.handler"
  statements  = local.statements
  environment = local.environment
  timeout     = 300

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
}

resource "aws_lambda_invocation" "migrate" {
  function_name = module.migrate.function_name
  input         = jsonencode({})

  triggers = {
    migrations = jsonencode(local.migrations)
    cluster    = aws_rds_cluster.this.cluster_resource_id # a restored one has what its backup had
  }

  depends_on = [aws_rds_cluster_instance.this]
}

module "api" {
  source = "../../terraform/modules/event_store_api"

  name    = module.identity.name
  pattern = module.identity.pattern
  package = module.identity.package

  environment = local.environment
  statements = {
    store_events         = local.statements
    get_aggregate_events = local.statements
    get_all_events       = local.statements
  }
  timeout = var.timeout

  depends_on = [aws_lambda_invocation.migrate] # no code runs before the schema it was written for

  function_settings = var.function_settings
  alarm_actions     = var.alarm_actions
  tags              = var.tags
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
  }

  alarm_name          = "${module.identity.name}-${lower(each.key)}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.key
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # it is paused
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
