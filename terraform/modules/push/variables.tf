variable "name" {
  description = "Name of the subscription, its function, role and table."
  type        = string
}

variable "store" {
  description = "A pattern's output `store`."
  type = object({
    pattern      = string
    environments = map(map(string))
    statements   = map(list(object({ actions = list(string), resources = list(string) })))
    late_seconds = number
  })
}

variable "package" {
  description = "Path of the zip with the pattern's store and lambdas/."
  type        = string
}

variable "target" {
  description = "ARN of what gets the events: an EventBridge bus, an SQS queue or a Lambda function."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:(events|sqs|lambda):", var.target))
    error_message = "The target is the ARN of an event bus, a queue or a function."
  }
}

variable "event_source" {
  description = "Begins the `source` of each CloudEvent, which ends with the aggregate: a URI reference, such as `/orders`."
  type        = string
}

variable "event_types" {
  description = "The types of event that are pushed; none for all."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Refuse to delete the table until this is turned off."
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

variable "kms_key_arn" {
  description = "ARN of the customer-managed key for the table, the dead letters, the log group and the environment variables; null for the keys of AWS."
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
