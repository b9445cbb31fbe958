variable "name" {
  description = "Name of the function; its role, log group and alarms are named after it. 64 characters at most."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "A function name has 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "description" {
  description = "What the function does, as shown in the console."
  type        = string
}

variable "service" {
  description = "The store that the function belongs to: the `service` of its log lines and metrics."
  type        = string
}

variable "package" {
  description = "Path of the zip with the code."
  type        = string
}

variable "handler" {
  description = "Python path of the handler, such as `lambdas.handlers.store_events`."
  type        = string
}

variable "statements" {
  description = "What the function may do, beyond writing its own log: IAM actions on the ARNs they are needed for."
  type = list(object({
    actions   = list(string)
    resources = list(string)
  }))

  validation {
    condition     = alltrue([for action in flatten(var.statements[*].actions) : !strcontains(action, "*")])
    error_message = "Name each IAM action in full: a wildcard grants what nobody reviewed."
  }

  validation {
    condition     = alltrue([for resource in flatten(var.statements[*].resources) : startswith(resource, "arn:")])
    error_message = "Name each resource by its ARN."
  }
}

variable "environment" {
  description = "Environment variables of the function."
  type        = map(string)
  default     = {}
}

variable "timeout" {
  description = "Seconds an invocation may take."
  type        = number
  default     = 30
}

variable "reserved_concurrency" {
  description = "How many invocations may run at once, set aside from the account's pool; null leaves it unreserved."
  type        = number
  default     = null
}

variable "alias" {
  description = <<-EOT
    Publish a version of each change and point the alias `live` to it, which callers then invoke; null for no alias:
    - `provisioned_concurrency`: how many environments are kept ready, and billed, all the time; null for none.
    - `snap_start`: start from a snapshot that is taken when the version is published. The snapshot is billed.
  EOT
  type = object({
    provisioned_concurrency = optional(number)
    snap_start              = optional(bool, false)
  })
  default = null
}

variable "kms_key_arn" {
  description = "ARN of the customer-managed key for the log group, the environment variables, and whatever the function reads or writes; null for the keys of AWS."
  type        = string
  default     = null
}

variable "throttles_threshold" {
  description = "How many throttled invocations in a minute are normal: more set off the alarm. Raise it where a low reservation is meant to throttle some."
  type        = number
  default     = 0
}

variable "function_settings" {
  description = <<-EOT
    What the functions of a store have in common:
    - `architecture`: `arm64` (about a fifth cheaper) or `x86_64`. The package is pure Python and runs on both.
    - `memory_size`: MiB of memory. CPU grows with it, so more memory also starts faster.
    - `log_level`: the lowest level that is logged.
    - `log_retention_days`: days that log lines are kept.
    - `tracing`: X-Ray traces the invocations that it samples. Traces are billed.
    - `permissions_boundary`: ARN of a policy that every role is bounded by; null for none.
    - `role_path`: path of every role, such as `/event-stores/`.
    - `vpc`: subnets and security groups that the functions run in; null for none. They need a way to each service that their
      role names: a gateway endpoint for DynamoDB, interface endpoints for SQS, Lambda, or the RDS Data API and Secrets Manager.
  EOT
  type = object({
    architecture         = optional(string, "arm64")
    memory_size          = optional(number, 512)
    log_level            = optional(string, "INFO")
    log_retention_days   = optional(number, 30)
    tracing              = optional(bool, false)
    permissions_boundary = optional(string)
    role_path            = optional(string, "/")
    vpc                  = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
  })
  default = {}

  validation {
    condition     = contains(["arm64", "x86_64"], var.function_settings.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }

  validation {
    condition     = var.function_settings.memory_size >= 128 && var.function_settings.memory_size <= 10240
    error_message = "A function has 128 to 10,240 MiB of memory."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.function_settings.log_level)
    error_message = "The log level is DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
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
