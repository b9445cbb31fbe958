variable "name" {
  description = "Name of the table, and prefix of all else."
  type        = string
}

variable "witness_name" {
  description = "Name in the witness's cosignatures, such as `witness.example/w1`: a URL without its scheme, of a domain that you own."
  type        = string

  validation {
    condition     = can(regex("^[^\\s+]{1,200}$", var.witness_name))
    error_message = "A name has no spaces and no plus signs (c2sp.org/signed-note)."
  }
}

variable "logs" {
  description = "The logs that are witnessed: for each verifier key of one (its output `log_keys`), the ARN of that key in KMS. Its policy has to allow this account kms:GetPublicKey and kms:Verify."
  type        = map(string)
}

variable "key_arn" {
  description = "ARN of the witness's KMS key, of spec ECC_NIST_EDWARDS25519; null to make one."
  type        = string
  default     = null
}

variable "public" {
  description = "Anyone may submit checkpoints, as to witnesses of the public network; otherwise callers need lambda:InvokeFunctionUrl."
  type        = bool
  default     = false
}

variable "package" {
  description = "Path of the zip of the pattern ledger; null for where the build puts it."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the table until this is turned off."
  type        = bool
  default     = true
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
