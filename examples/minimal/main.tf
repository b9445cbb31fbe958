# One event store, with every default. The AWS provider takes region and credentials from the environment.
# In a project of your own the source is a release: see "Use it in your project" in the README.

provider "aws" {}

module "orders" {
  source = "../../patterns/ksuid"

  name = "orders"
}
