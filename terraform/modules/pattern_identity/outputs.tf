output "pattern" {
  description = "The folder's name: the Python package under patterns/ that the functions load."
  value       = local.pattern
}

output "name" {
  description = "Name of the store and prefix of all its resources."
  value       = local.name
}

output "package" {
  description = "Path of the zip with the code of all functions."
  value       = local.package

  precondition {
    condition     = fileexists(local.package)
    error_message = "There is no package at ${local.package}: make package PATTERN=${local.pattern} builds it, and each release has it."
  }

  precondition {
    condition     = local.stamp.pattern == local.pattern && local.stamp.version == local.version
    error_message = "${local.package} is the package of ${local.stamp.pattern} ${local.stamp.version}, and this module is ${local.pattern} ${local.version}: take both from the same release, or build the package from the module's checkout with make package PATTERN=${local.pattern}."
  }
}

output "version" {
  description = "Version of this module, and of the package that it runs."
  value       = local.version
}
