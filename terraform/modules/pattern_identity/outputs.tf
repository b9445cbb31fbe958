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
}
