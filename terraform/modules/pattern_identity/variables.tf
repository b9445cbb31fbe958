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

  validation {
    condition     = var.package == null || basename(coalesce(var.package, "-")) == "${basename(abspath(var.folder))}.zip"
    error_message = "The package of this pattern is called ${basename(abspath(var.folder))}.zip, after its folder, and holds its code and no other's: make package PATTERN=${basename(abspath(var.folder))} builds it."
  }
}
