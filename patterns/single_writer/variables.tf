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

variable "sweep" {
  description = <<-EOT
    The sweep for events that are missing from the log:
    - `schedule`: when it runs, as an EventBridge schedule.
    - `events`, `megabytes`: how much of the events table it looks at in a run, whichever is less. A pass over all events takes
      as many runs as they need. After the loss of an event this does not count: runs take all the time they have.
    - `settle_seconds`: how old an event is before the sweep misses it in the log. Younger ones may be on their way.
  EOT
  type = object({
    schedule       = optional(string, "rate(5 minutes)")
    events         = optional(number, 10000)
    megabytes      = optional(number, 50)
    settle_seconds = optional(number, 60)
  })
  default = {}
}

variable "max_lag_seconds" {
  description = "How long after it is stored an event may be missing from the log before an alarm goes off."
  type        = number
  default     = 60
}

variable "throttles_threshold" {
  description = "How many refused invocations of the sequencer in a minute set off its alarm. Some are normal: one runs at a time, and each shard of the stream asks."
  type        = number
  default     = 600
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

variable "function_settings" {
  description = "What all functions have in common. Meaning, defaults and limits are those of `lambda_function` in terraform/modules. The sequencer's memory_size is fixed."
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
