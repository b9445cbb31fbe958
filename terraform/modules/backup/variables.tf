variable "name" {
  description = "Name of the vault, the plan and the role."
  type        = string
}

variable "resources" {
  description = "ARNs of what is backed up: the `tables` or `clusters` of a pattern's output `arns`."
  type        = list(string)

  validation {
    condition     = length(var.resources) > 0
    error_message = "A plan without resources backs up nothing."
  }
}

variable "schedule" {
  description = "When a backup is made, as a schedule of EventBridge, in UTC."
  type        = string
  default     = "cron(0 3 * * ? *)"
}

variable "keep_days" {
  description = "Days that a backup is kept."
  type        = number
  default     = 90
}

variable "lock" {
  description = "Let nobody without the right to remove the lock delete a backup before its days are over."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of the customer-managed key of the vault; null for the key of AWS."
  type        = string
  default     = null
}

variable "role_settings" {
  description = "What an organisation asks of roles: `permissions_boundary`, the ARN of a policy, and `path`."
  type = object({
    permissions_boundary = optional(string)
    path                 = optional(string, "/")
  })
  default = {}
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
