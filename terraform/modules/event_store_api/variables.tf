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

variable "statements" {
  description = "What each operation may do: IAM actions on the ARNs they are needed for."
  type = object({
    store_events         = list(object({ actions = list(string), resources = list(string) }))
    get_aggregate_events = list(object({ actions = list(string), resources = list(string) }))
    get_all_events       = list(object({ actions = list(string), resources = list(string) }))
  })
}

variable "timeout" {
  description = "Seconds an operation may take, retries against AWS included."
  type        = number
  default     = 30
}

variable "function_settings" {
  description = "What all functions have in common. Meaning, defaults and limits are those of `lambda_function` in terraform/modules."
  type = object({
    architecture       = optional(string)
    memory_size        = optional(number)
    log_level          = optional(string)
    log_retention_days = optional(number)
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
