variable "name" {
  description = "Name of the store and prefix of all its resources, so that several can live side by side."
  type        = string
  default     = "eventstore-single-writer"
}

variable "package" {
  description = "Path of the zip that the build makes; null for where the build puts it."
  type        = string
  default     = null
}

variable "sweep_schedule" {
  description = "When the sweep looks for events that are missing from the log: an EventBridge schedule."
  type        = string
  default     = "rate(5 minutes)"
}

variable "sweep_events" {
  description = "How many events the sweep looks at in a run. A pass over all events takes as many runs as they need."
  type        = number
  default     = 10000

  validation {
    condition     = var.sweep_events >= 1 && floor(var.sweep_events) == var.sweep_events
    error_message = "The sweep looks at a whole number of events, 1 or more."
  }
}

variable "sweep_settle_seconds" {
  description = "How old an event is before the sweep misses it in the log. Younger ones may be on their way."
  type        = number
  default     = 60

  validation {
    condition     = var.sweep_settle_seconds >= 0 && floor(var.sweep_settle_seconds) == var.sweep_settle_seconds
    error_message = "The age is a whole number of seconds, 0 or more."
  }
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

variable "architecture" {
  description = "Processor of the functions: `arm64` or `x86_64`."
  type        = string
  default     = "arm64"
}

variable "memory_size" {
  description = "MiB of memory of each function but the sequencer, which has one processor."
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
