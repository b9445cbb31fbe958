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

variable "engine_version" {
  description = "Version of Aurora PostgreSQL: a major one, whose minor AWS keeps up to date, or an exact one. A database that pauses needs 16.3 or later, or 15.7 or later."
  type        = string
  default     = "16.8"
}

variable "min_capacity" {
  description = "Capacity in ACUs (2 GiB of memory each) that is always there; 0 pauses the database when it is idle."
  type        = number
  default     = 0
}

variable "max_capacity" {
  description = "Capacity in ACUs up to which the database grows: what it may cost at the most."
  type        = number
  default     = 4

  validation {
    condition     = var.max_capacity >= 1 && var.max_capacity <= 256 && var.max_capacity >= var.min_capacity
    error_message = "The maximum is 1 to 256 ACUs, and no less than the minimum."
  }
}

variable "seconds_until_auto_pause" {
  description = "Idle seconds after which the database pauses, if min_capacity is 0."
  type        = number
  default     = 300

  validation {
    condition     = var.seconds_until_auto_pause >= 300 && var.seconds_until_auto_pause <= 86400
    error_message = "A database pauses after 300 to 86,400 idle seconds."
  }
}

variable "instances" {
  description = "Database instances: with 2, one in another availability zone takes over within seconds when the writer fails."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 1 && var.instances <= 15
    error_message = "There are 1 to 15 instances."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster until this is turned off. Off, it is deleted without a final snapshot."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "Days back to which the cluster can be restored, to any second."
  type        = number
  default     = 7
}

variable "vpc_cidr" {
  description = "Addresses of the cluster's own network, /24 or wider. Nothing is connected to it."
  type        = string
  default     = "10.0.0.0/24"
}

variable "timeout" {
  description = "Seconds an operation may take. A paused database needs 15, or 30 and more after a day, before it answers."
  type        = number
  default     = 60
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
