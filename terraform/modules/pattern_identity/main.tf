# What a pattern is called and which package it runs, all from the name of its folder: a copy of the folder is a pattern of its own.

locals {
  pattern = basename(abspath(var.folder))
  name    = coalesce(var.name, "eventstore-${replace(local.pattern, "_", "-")}") # RDS takes no underscores
  package = coalesce(var.package, "${var.folder}/../../.build/${local.pattern}.zip")
}
