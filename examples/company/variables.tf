variable "region" {
  description = "Where the store is."
  type        = string
  default     = "eu-central-1"
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role. It must allow what the roles of the pattern and of AWS Backup need."
  type        = string
}
