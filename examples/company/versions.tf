terraform {
  required_version = ">= 1.10" # for use_lockfile

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }

  # The bucket is there before anything else: with versions, and for the people who deploy only.
  backend "s3" {
    bucket       = "example-terraform-state"
    key          = "event-stores/orders.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}
