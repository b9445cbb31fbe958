# Two event stores side by side in one root. Names of resources follow from `name`, so stores never meet, be they of one pattern or two.

provider "aws" {
  default_tags {
    tags = { service = "shop" }
  }
}

# Few events, in one order that all readers agree on, readable at once.
module "payments" {
  source = "../../patterns/transactions"

  name          = "payments"
  alarm_actions = var.alarm_actions
}

# Many events, cheap, in the order of the writers' clocks.
module "visits" {
  source = "../../patterns/ksuid"

  name          = "visits"
  shards        = 4 # 4,000 events a second
  alarm_actions = var.alarm_actions
}
