variable "name" {
  description = "Name of the store: the functions are `<name>-store-events`, `<name>-get-aggregate-events` and `<name>-get-all-events`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.name))
    error_message = "A store's name has 1 to 40 letters, digits, hyphens and underscores: a function's name, which adds to it, has at most 64."
  }
}

variable "pattern" {
  description = "The folder under patterns/ whose store the handlers load."
  type        = string
}

variable "package" {
  description = "Path of the zip with the code of the three functions."
  type        = string
}

variable "environment" {
  description = "Settings of the pattern's store, as environment variables of the three functions."
  type        = map(string)
}

variable "environments" {
  description = "Environment variables of single operations, by their names."
  type        = map(map(string))
  default     = {}
}

variable "statements" {
  description = "What each operation may do: IAM actions on the ARNs they are needed for."
  type = object({
    store_events         = list(object({ actions = list(string), resources = list(string) }))
    get_aggregate_events = list(object({ actions = list(string), resources = list(string) }))
    get_all_events       = list(object({ actions = list(string), resources = list(string) }))
  })
}

variable "late_seconds" {
  description = "How late an event can show in get_all_events, in seconds, that readers should allow for; 0 where none can."
  type        = number
  default     = 0
}

variable "timeout" {
  description = "Seconds an operation may take, retries against AWS included."
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
  description = <<-EOT
    What each of the three operations has of its own, by its name (`store_events`, `get_aggregate_events`, `get_all_events`):
    - `reserved_concurrency`: how many invocations may run at once, set aside from the account's pool: a cap on load and cost.
    - `provisioned_concurrency`: how many environments are kept ready, and billed, all the time.
    - `snap_start`: start from a snapshot, which is billed, instead of from nothing. Not with `provisioned_concurrency`.

    With one of the last two, callers invoke the alias `live`, which the outputs name, and each deployment leaves a version.
  EOT
  type = map(object({
    reserved_concurrency    = optional(number)
    provisioned_concurrency = optional(number)
    snap_start              = optional(bool)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.operation_settings), ["store_events", "get_aggregate_events", "get_all_events"])) == 0
    error_message = "The operations are store_events, get_aggregate_events and get_all_events."
  }

  validation {
    condition = alltrue([for settings in values(var.operation_settings) :
      settings.provisioned_concurrency == null || !coalesce(settings.snap_start, false)
    ])
    error_message = "An operation has provisioned_concurrency or snap_start, not both (dg/snapstart)."
  }

  validation {
    condition = alltrue([for settings in values(var.operation_settings) :
      try(settings.provisioned_concurrency <= settings.reserved_concurrency, true)
    ])
    error_message = "No more environments can be kept ready than may run at once."
  }
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
