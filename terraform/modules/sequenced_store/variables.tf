variable "name" {
  description = "Name of the store and of its events table, and prefix of its other resources."
  type        = string
}

variable "pattern" {
  description = "The folder under patterns/ whose store, sequencer and sweeper the functions load."
  type        = string
}

variable "package" {
  description = "Path of the zip with the code of all functions."
  type        = string
}

variable "listener" {
  description = "ARN of the function that the stream of the events table wakes. It must be allowed `listener_statements`."
  type        = string
}

variable "sequencer" {
  description = "What the pattern's sequencer needs beyond the two tables: the right to be told of events, and its own settings."
  type = object({
    statements           = list(object({ actions = list(string), resources = list(string) }))
    environment          = optional(map(string), {})
    timeout              = number
    reserved_concurrency = optional(number)
    throttles_threshold  = optional(number, 0)
  })
}

variable "ring" {
  description = "How the pattern's sweep tells the sequencer of events: the right to, and the settings for it."
  type = object({
    statements  = list(object({ actions = list(string), resources = list(string) }))
    environment = map(string)
  })
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

  validation {
    condition     = var.sweep.events >= 1 && floor(var.sweep.events) == var.sweep.events
    error_message = "The sweep looks at a whole number of events, 1 or more."
  }

  validation {
    condition     = var.sweep.megabytes >= 1 && floor(var.sweep.megabytes) == var.sweep.megabytes
    error_message = "The sweep reads a whole number of megabytes, 1 or more."
  }

  validation {
    condition     = var.sweep.settle_seconds >= 0 && floor(var.sweep.settle_seconds) == var.sweep.settle_seconds
    error_message = "The age is a whole number of seconds, 0 or more."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the tables until this is turned off."
  type        = bool
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
