variable "name" {
  description = "Name of the table. It cannot be changed later."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "DynamoDB takes names of tables with 3 to 255 letters, digits, hyphens, underscores and dots."
  }
}

variable "hash_key" {
  description = "The partition key: attribute name, and type `S`, `N` or `B`."
  type        = object({ name = string, type = string })
}

variable "range_key" {
  description = "The sort key: attribute name, and type `S`, `N` or `B`; null for none."
  type        = object({ name = string, type = string })
}

variable "indexes" {
  description = "Global secondary indexes by name. Each holds the items that have both of its keys, with these `attributes` besides all keys; null for every attribute."
  type = map(object({
    hash_key   = object({ name = string, type = string })
    range_key  = object({ name = string, type = string })
    attributes = optional(list(string))
  }))
  default = {}
}

variable "stream_view_type" {
  description = "What the table's stream carries, such as `KEYS_ONLY`; null for no stream."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the table until this is turned off."
  type        = bool
}

variable "point_in_time_recovery" {
  description = "Keep continuous backups of the last 35 days."
  type        = bool
  default     = true
}

variable "table_settings" {
  description = <<-EOT
    What the tables of a store have in common:
    - `table_class`: `STANDARD`, or `STANDARD_INFREQUENT_ACCESS`, where storage costs less and requests cost more.
    - `max_read_units`, `max_write_units`: request units a second that each table, and each index, takes at most: beyond, it
      throttles. A cap on what a caller can cost; null for none.
    - `append_only`: a policy of each table denies everybody in the account to update, delete or batch-write items, and to put
      them, but for the functions whose work it is. Restores by copying items into the table are denied too, and `make repair`.
  EOT
  type = object({
    table_class     = optional(string, "STANDARD")
    max_read_units  = optional(number)
    max_write_units = optional(number)
    append_only     = optional(bool, false)
  })
  default = {}

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_settings.table_class)
    error_message = "The table class is STANDARD or STANDARD_INFREQUENT_ACCESS."
  }

  validation {
    condition     = alltrue([for units in [var.table_settings.max_read_units, var.table_settings.max_write_units] : units == null ? true : units >= 1 && floor(units) == units])
    error_message = "The most request units a second are a whole number, 1 or more."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer-managed key for the table, its indexes, stream and backups; null for the key of AWS."
  type        = string
  default     = null
}

variable "writers" {
  description = "ARNs of the roles that may put items, of those that may update them, and of those that may delete them, where `table_settings` says `append_only`."
  type        = object({ put = list(string), update = optional(list(string), []), delete = optional(list(string), []) })
  default     = { put = [] }
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
