output "arn" {
  description = "ARN of the key."
  value       = aws_cloudformation_stack.this.outputs["Arn"]
}
