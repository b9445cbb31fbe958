variable "name" {
  description = "Name of the dashboard; null for the store's."
  type        = string
  default     = null
}

variable "arns" {
  description = "A pattern's output `arns`."
  type = object({
    functions = map(string)
    tables    = map(string)
    queues    = map(string)
    clusters  = map(string)
    alarms    = map(string)
  })
}
