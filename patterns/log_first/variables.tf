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

variable "deletion_protection" {
  description = "Refuse to delete the tables until this is turned off."
  type        = bool
  default     = true
}

variable "point_in_time_recovery" {
  description = "Keep continuous backups of the last 35 days."
  type        = bool
  default     = true
}

variable "timeout" {
  description = "Seconds an operation may take: how long an append waits for its turn, at most."
  type        = number
  default     = 30
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
