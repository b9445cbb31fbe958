variable "folder" {
  description = "The pattern's folder: its `path.module`."
  type        = string
}

variable "name" {
  description = "Name of the store; null for `eventstore-` and the pattern's name, with hyphens."
  type        = string
}

variable "package" {
  description = "Path of the pattern's zip; null for where the build puts it."
  type        = string
}
