# What a pattern is called and which package it runs, all from the name of its folder: a copy of the folder is a pattern of its own.
# The package is this pattern's and of this module's version, or nothing is planned.

locals {
  pattern = basename(abspath(var.folder))
  name    = coalesce(var.name, "eventstore-${replace(local.pattern, "_", "-")}") # RDS takes no underscores
  package = coalesce(var.package, "${var.folder}/../../.build/${local.pattern}.zip")

  version = trimspace(file("${path.module}/../../../VERSION"))

  # The build compresses nothing (tools/package.py), so the file that says what the zip is stands in it as it is.
  content = fileexists(local.package) ? textdecodebase64(filebase64(local.package), "ISO-8859-1") : ""
  stamp   = try(jsondecode(regex("eventstore-package\\.json(\\{[^}]*\\})", local.content)[0]), { pattern = "unknown", version = "unknown" })
}
