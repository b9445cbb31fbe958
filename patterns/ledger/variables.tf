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
  description = "What each of the three operations has of its own, by its name. Meaning, defaults and limits are those of `event_store_api` in terraform/modules."
  type = map(object({
    reserved_concurrency    = optional(number)
    provisioned_concurrency = optional(number)
    snap_start              = optional(bool)
  }))
  default = {}
}

variable "table_settings" {
  description = "What all tables have in common. Meaning, defaults and limits are those of `dynamodb_table` in terraform/modules."
  type = object({
    table_class     = optional(string)
    max_read_units  = optional(number)
    max_write_units = optional(number)
    append_only     = optional(bool)
  })
  default = {}
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

variable "log_origin" {
  description = "Name of the log in its checkpoints and keys, such as `example.com/orders`; null for one of the store's name, Region and account."
  type        = string
  default     = null

  validation {
    condition     = var.log_origin == null || can(regex("^[^\\s+]{1,200}$", var.log_origin))
    error_message = "An origin has no spaces and no plus signs (c2sp.org/signed-note)."
  }
}

variable "ed25519_key_arn" {
  description = "ARN of a KMS key of spec ECC_NIST_EDWARDS25519 that signs checkpoints too, as public witnesses demand; null for P-256 only."
  type        = string
  default     = null
}

variable "verifier_accounts" {
  description = "Ids of other accounts that may verify with the P-256 key, such as that of a witness."
  type        = list(string)
  default     = []
}

variable "object_lock" {
  description = <<-EOT
    How long each version of a published file cannot be removed:
    - `mode`: `GOVERNANCE`, which a right of its own (s3:BypassGovernanceRetention) overrides, or `COMPLIANCE`, which nobody can.
    - `days`: from when it was written.
  EOT
  type = object({
    mode = optional(string, "GOVERNANCE")
    days = optional(number, 365)
  })
  default = {}

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.object_lock.mode) && var.object_lock.days >= 1
    error_message = "The mode is GOVERNANCE or COMPLIANCE, for a day or more."
  }
}

variable "publish_schedule" {
  description = "When the log is published, besides on demand. Until then an event is in the log, and in no proof."
  type        = string
  default     = "rate(1 minute)"
}
