# A cluster must have a network. Unless it is given subnets, it gets one that leads nowhere: no gateway, no route out, no
# rule that lets anything in.

locals {
  own_network = length(var.subnet_ids) == 0
  subnet_ids  = local.own_network ? aws_subnet.this[*].id : var.subnet_ids
  vpc_id      = local.own_network ? aws_vpc.this[0].id : data.aws_subnet.given[0].vpc_id
}

data "aws_subnet" "given" {
  count = local.own_network ? 0 : 1

  id = var.subnet_ids[0]
}

data "aws_availability_zones" "this" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "this" {
  count = local.own_network ? 1 : 0

  cidr_block = var.vpc_cidr
  tags       = merge(var.tags, { Name = module.identity.name })
}

resource "aws_subnet" "this" {
  count = local.own_network ? 2 : 0 # the fewest zones that RDS takes

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)
  availability_zone = data.aws_availability_zones.this.names[count.index]
  tags              = merge(var.tags, { Name = "${module.identity.name}-${count.index}" })
}

resource "aws_db_subnet_group" "this" {
  name       = module.identity.name
  subnet_ids = local.subnet_ids
  tags       = var.tags
}

resource "aws_security_group" "this" {
  name        = module.identity.name
  description = "Nothing in, nothing out: the Data API needs no network."
  vpc_id      = local.vpc_id
  tags        = var.tags
}
