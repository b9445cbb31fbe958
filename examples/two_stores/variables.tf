variable "alarm_actions" {
  description = "ARNs (usually of an SNS topic) to notify when an alarm of either store goes off or clears."
  type        = list(string)
  default     = []
}
