variable "name" {
  description = "Name of the CloudFormation stack that holds the key."
  type        = string
}

variable "description" {
  description = "What the key is for, as shown in the console."
  type        = string
}

variable "verifier_accounts" {
  description = "Ids of other accounts that may verify with the key, such as that of a witness."
  type        = list(string)
  default     = []
}

variable "deletion_window_in_days" {
  description = "Days for which the key can be got back once it is destroyed."
  type        = number
  default     = 30
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
