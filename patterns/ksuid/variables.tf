variable "name" {
  description = "Name of the store and prefix of all its resources, so that several can live side by side; null for a name after the folder."
  type        = string
  default     = null
}

variable "package" {
  description = "Path of the pattern's zip; null for where the build puts it."
  type        = string
  default     = null
}

variable "shards" {
  description = "Partitions of the index of all events: each takes about 1,000 events a second. It may grow on a running store, and never shrink: readers would pass over the events of the shards that are gone."
  type        = number
  default     = 1

  validation {
    condition     = var.shards >= 1 && var.shards <= 64 && floor(var.shards) == var.shards
    error_message = "There are 1 to 64 shards."
  }
}

variable "settle_ms" {
  description = "How far get_all_events stays behind now, in milliseconds, so that events written late are less often missed."
  type        = number
  default     = 2000

  validation {
    condition     = var.settle_ms >= 0 && floor(var.settle_ms) == var.settle_ms
    error_message = "The settle window is a whole number of milliseconds, 0 or more."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the table until this is turned off."
  type        = bool
  default     = true
}

variable "point_in_time_recovery" {
  description = "Keep continuous backups of the last 35 days."
  type        = bool
  default     = true
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

variable "table_settings" {
  description = "What all tables have in common. Meaning, defaults and limits are those of `dynamodb_table` in terraform/modules."
  type = object({
    table_class     = optional(string)
    max_read_units  = optional(number)
    max_write_units = optional(number)
    append_only     = optional(bool)
  })
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
