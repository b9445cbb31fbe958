variable "name" {
  description = "Name of the store and prefix of all its resources, so that several can live side by side."
  type        = string
  default     = "eventstore-transactions"
}

variable "package" {
  description = "Path of the zip that the build makes; null for where the build puts it."
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

variable "architecture" {
  description = "Processor of the functions: `arm64` or `x86_64`."
  type        = string
  default     = "arm64"
}

variable "memory_size" {
  description = "MiB of memory of each function."
  type        = number
  default     = 512
}

variable "log_level" {
  description = "Lowest level that is logged."
  type        = string
  default     = "INFO"
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  default     = 30
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
