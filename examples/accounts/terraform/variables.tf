variable "store" {
  description = "A pattern's output `store`."
  type = object({
    pattern      = string
    environments = map(map(string))
    statements   = map(list(object({ actions = list(string), resources = list(string) })))
    late_seconds = number
  })
}

variable "name" {
  description = "Prefix of all names; null for one after the pattern."
  type        = string
  default     = null
}

variable "package" {
  description = "Path of the zip with the sample and the pattern's store; null for where the build puts it."
  type        = string
  default     = null
}

variable "snapshot_every" {
  description = "How many events of an account a command loads before it leaves a snapshot; null for no snapshots, and no table of them."
  type        = number
  default     = null

  validation {
    condition     = var.snapshot_every == null ? true : var.snapshot_every >= 1 && floor(var.snapshot_every) == var.snapshot_every
    error_message = "A whole number of events, 1 or more."
  }
}

variable "push_to" {
  description = "ARN of an event bus, a queue or a function that gets every event as a CloudEvent; null for none."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the tables until this is turned off."
  type        = bool
  default     = true
}

variable "function_settings" {
  description = "Meaning, defaults and limits are those of `lambda_function` in terraform/modules."
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
