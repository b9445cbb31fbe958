# A cluster must have a network. This one leads nowhere: no gateway, no route out, no rule that lets anything in.

data "aws_availability_zones" "this" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "this" {
  cidr_block = var.vpc_cidr
  tags       = merge(var.tags, { Name = module.identity.name })
}

resource "aws_subnet" "this" {
  count = 2 # the fewest zones that RDS takes

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)
  availability_zone = data.aws_availability_zones.this.names[count.index]
  tags              = merge(var.tags, { Name = "${module.identity.name}-${count.index}" })
}

resource "aws_db_subnet_group" "this" {
  name       = module.identity.name
  subnet_ids = aws_subnet.this[*].id
  tags       = var.tags
}

resource "aws_security_group" "this" {
  name        = module.identity.name
  description = "Nothing in, nothing out: the Data API needs no network."
  vpc_id      = aws_vpc.this.id
  tags        = var.tags
}
