mock_provider "aws" {}

run "two_stores_share_no_function" {
  command = plan
  assert {
    condition     = length(toset(concat(values(output.payments), values(output.visits)))) == 6
    error_message = "Each store has three functions of its own."
  }
}
