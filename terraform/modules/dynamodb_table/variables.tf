variable "name" {
  description = "Name of the table."
  type        = string
}

variable "hash_key" {
  description = "The partition key: attribute name, and type `S`, `N` or `B`."
  type        = object({ name = string, type = string })
}

variable "range_key" {
  description = "The sort key: attribute name, and type `S`, `N` or `B`."
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
