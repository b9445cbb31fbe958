variable "name" {
  description = "Name of the store and prefix of all its resources, so that several can live side by side; null for a name after the folder."
  type        = string
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[a-z](-?[a-z0-9]){0,39}$", var.name))
    error_message = "RDS takes names with lower-case letters, digits and single hyphens, a letter first."
  }

  validation {
    condition     = var.name == null || try(var.name != "default" && !startswith(var.name, "sg-"), false)
    error_message = "A subnet group is not called default, and no security group begins with sg-."
  }
}

variable "package" {
  description = "Path of the pattern's zip; null for where the build puts it."
  type        = string
  default     = null
}

variable "engine_version" {
  description = "Version of Aurora PostgreSQL: a major one (`16`), whose minor AWS keeps up to date, or an exact one (`16.8`, which has long-term support), which stays until you change it. A database that pauses needs 16.3 or later, or 15.7 or later."
  type        = string
  default     = "16.8"

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?$", var.engine_version))
    error_message = "The version is a major one, such as 16, or an exact one, such as 16.8."
  }
}

variable "min_capacity" {
  description = "Capacity in ACUs (2 GiB of memory each) that is always there; 0 pauses the database when it is idle."
  type        = number
  default     = 0

  validation {
    condition     = var.min_capacity >= 0 && var.min_capacity <= 256 && floor(2 * var.min_capacity) == 2 * var.min_capacity
    error_message = "The minimum is 0 to 256 ACUs, in steps of a half."
  }
}

variable "max_capacity" {
  description = "Capacity in ACUs up to which the database grows: what it may cost at the most."
  type        = number
  default     = 4

  validation {
    condition = var.max_capacity >= 1 && var.max_capacity <= 256 && var.max_capacity >= var.min_capacity && (
      floor(2 * var.max_capacity) == 2 * var.max_capacity
    )
    error_message = "The maximum is 1 to 256 ACUs, in steps of a half, and no less than the minimum."
  }
}

variable "seconds_until_auto_pause" {
  description = "Idle seconds after which the database pauses, if min_capacity is 0."
  type        = number
  default     = 300

  validation {
    condition     = var.seconds_until_auto_pause >= 300 && var.seconds_until_auto_pause <= 86400
    error_message = "A database pauses after 300 to 86,400 idle seconds."
  }
}

variable "instances" {
  description = "Database instances: with 2, one in another availability zone takes over within seconds when the writer fails."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 1 && var.instances <= 15
    error_message = "There are 1 to 15 instances."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster until this is turned off."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Take a snapshot of the cluster before it is deleted. It stays, and is paid for, until you delete it."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "Days back to which the cluster can be restored, to any second."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "Backups are kept for 1 to 35 days."
  }
}

variable "restore" {
  description = "Make the cluster from a backup: `snapshot`, the name or ARN of a cluster snapshot; or `cluster`, the name of a cluster, as it was at `time` (RFC 3339; without it, now). Only what makes the cluster looks at it: to change it later does nothing."
  type = object({
    snapshot = optional(string)
    cluster  = optional(string)
    time     = optional(string)
  })
  default = null

  validation {
    condition     = var.restore == null || (try(var.restore.snapshot, null) == null) != (try(var.restore.cluster, null) == null)
    error_message = "Restore either a snapshot or a cluster."
  }

  validation {
    condition     = try(var.restore.time, null) == null || (try(var.restore.cluster, null) != null && can(timeadd(var.restore.time, "0s")))
    error_message = "The time is that of a cluster, such as 2026-11-25T02:00:00Z."
  }
}

variable "idle_in_transaction_seconds" {
  description = "After which PostgreSQL ends the session of a transaction that does nothing: until then it stops all readers. None of the store's own transactions ever waits for a client."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_in_transaction_seconds >= 1 && var.idle_in_transaction_seconds <= 86400
    error_message = "An idle transaction ends after 1 to 86,400 seconds."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the cluster's own network, /24 or wider. Nothing is connected to it."
  type        = string
  default     = "10.0.0.0/24"
}

variable "subnet_ids" {
  description = "Subnets of one VPC, in at least two availability zones, to put the cluster in instead of a VPC of its own: an account has five VPCs in a region unless it asks for more. The cluster still lets nothing in."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.subnet_ids) != 1
    error_message = "RDS wants subnets in at least two availability zones."
  }
}

variable "timeout" {
  description = "Seconds an operation may take. A paused database needs 15, or 30 and more after a day, before it answers."
  type        = number
  default     = 60
}

variable "function_settings" {
  description = "What all functions have in common. Meaning, defaults and limits are those of `lambda_function` in terraform/modules."
  type = object({
    architecture         = optional(string)
    memory_size          = optional(number)
    log_level            = optional(string)
    log_retention_days   = optional(number)
    tracing              = optional(bool)
    permissions_boundary = optional(string)
    role_path            = optional(string)
    vpc                  = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
  })
  default = {}
}

variable "operation_settings" {
  description = "What each of the three operations has of its own, by its name. Meaning, defaults and limits are those of `event_store_api` in terraform/modules."
  type = map(object({
    reserved_concurrency    = optional(number)
    provisioned_concurrency = optional(number)
    snap_start              = optional(bool)
  }))
  default = {}
}

variable "kms_key_arn" {
  description = "ARN of the customer-managed key for all that the store keeps: tables or cluster, queues, secrets, log groups and environment variables; null for the keys of AWS."
  type        = string
  default     = null
}

variable "alarm_actions" {
  description = "ARNs (usually of an SNS topic) to notify when an alarm goes off or clears."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
