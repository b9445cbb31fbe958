variable "name" {
  description = "Name of the function, its role and the table."
  type        = string
}

variable "projection" {
  description = "The `name` of the projection in the code, by which its metrics are told apart."
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
  description = "Path of the zip with the projection, the pattern's store and lambdas/."
  type        = string
}

variable "handler" {
  description = "Python path of the handler: what `lambdas.projections.runtime.function` made."
  type        = string
}

variable "environment" {
  description = "Environment variables of the function, beside those that the runtime reads."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "What the function may do beyond reading the store and writing its table."
  type        = list(object({ actions = list(string), resources = list(string) }))
  default     = []
}

variable "schedule" {
  description = "How often the function runs, whether it is woken or not: an EventBridge schedule expression."
  type        = string
  default     = "rate(1 minute)"
}

variable "timeout" {
  description = "Seconds a run may take. What it has not done, the next one goes on with."
  type        = number
  default     = 60
}

variable "max_lag_seconds" {
  description = "How old an event may be that is not applied, before the alarm goes off."
  type        = number
  default     = 300
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
  description = "ARN of the customer-managed key for the table, the log group and the environment variables; null for the keys of AWS."
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
