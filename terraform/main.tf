# What one fwsync installation needs: a RAM role with exactly the calls that it
# makes, and the cloud-init user data of the server that runs it on a schedule.

terraform {
  required_version = ">= 1.5"

  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.252.0"
    }
  }
}

# Every call that the code can make, one per line: a test compares these lists
# with cloudfw/alibaba/apis.go.
locals {
  read_actions = [
    "ecs:DescribePrefixListAttributes",
    "ecs:DescribePrefixLists",
    "ecs:DescribeSecurityGroupAttribute",
    "ecs:DescribeSecurityGroups",
    "yundun-cloudfirewall:DescribeAclRuleCount",
    "yundun-cloudfirewall:DescribeAddressBook",
    "yundun-cloudfirewall:DescribeAssetList",
    "yundun-cloudfirewall:DescribeControlPolicy",
    "yundun-cloudfirewall:DescribeNatFirewallControlPolicy",
    "yundun-cloudfirewall:DescribeNatFirewallList",
    "yundun-cloudfirewall:DescribeNatFirewallPolicyPriorUsed",
    "yundun-cloudfirewall:DescribePolicyAdvancedConfig",
    "yundun-cloudfirewall:DescribePolicyPriorUsed",
    "yundun-cloudfirewall:DescribeRiskEventGroup",
    "yundun-cloudfirewall:DescribeVpcFirewallAclGroupList",
    "yundun-cloudfirewall:DescribeVpcFirewallControlPolicy",
    "yundun-cloudfirewall:DescribeVpcFirewallPolicyPriorUsed",
  ]

  write_actions = [
    "ecs:AuthorizeSecurityGroup",
    "ecs:AuthorizeSecurityGroupEgress",
    "ecs:CreatePrefixList",
    "ecs:DeletePrefixList",
    "ecs:ModifyPrefixList",
    "ecs:ModifySecurityGroupEgressRule",
    "ecs:ModifySecurityGroupRule",
    "ecs:RevokeSecurityGroup",
    "ecs:RevokeSecurityGroupEgress",
    "yundun-cloudfirewall:AddAddressBook",
    "yundun-cloudfirewall:AddControlPolicy",
    "yundun-cloudfirewall:CreateNatFirewallControlPolicy",
    "yundun-cloudfirewall:CreateVpcFirewallControlPolicy",
    "yundun-cloudfirewall:DeleteAddressBook",
    "yundun-cloudfirewall:DeleteControlPolicy",
    "yundun-cloudfirewall:DeleteNatFirewallControlPolicy",
    "yundun-cloudfirewall:DeleteVpcFirewallControlPolicy",
    "yundun-cloudfirewall:ModifyAddressBook",
    "yundun-cloudfirewall:ModifyControlPolicy",
    "yundun-cloudfirewall:ModifyControlPolicyPriority",
    "yundun-cloudfirewall:ModifyNatFirewallControlPolicy",
    "yundun-cloudfirewall:ModifyNatFirewallControlPolicyPosition",
    "yundun-cloudfirewall:ModifyVpcFirewallControlPolicy",
    "yundun-cloudfirewall:ModifyVpcFirewallControlPolicyPosition",
  ]
}

locals {
  write = var.access == "write"

  # Resource is "*": the vendor spells the resource of an address book in two ways,
  # and its describe calls take no resource. What belongs to whom is decided by the
  # owner marker on every object, not here.
  permissions = jsonencode({
    Version = "1"
    Statement = concat(
      [{ Effect = "Allow", Action = local.read_actions, Resource = "*" }],
      local.write ? [{ Effect = "Allow", Action = local.write_actions, Resource = "*" }] : [],
    )
  })

  trust = jsonencode({
    Version = "1"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["ecs.aliyuncs.com"] }
    }]
  })

  config = yamlencode({
    cloud    = "alibaba"
    owner    = var.owner
    state    = "/var/lib/fwsync"
    policies = "/etc/fwsync/policies"
    sources  = [for s in var.sources : { name = s.name, file = s.file, zone = s.zone }]
    operator = var.operator
    alibaba = {
      region      = var.region
      credentials = "ecs-role"
    }
  })

  user_data = templatefile("${path.module}/templates/cloud-init.yaml.tftpl", {
    config    = local.config
    policies  = var.policies
    role_name = var.name
    # A preview where nothing may be written, the real thing where it may.
    command   = local.write ? "reconcile" : "plan"
    success   = local.write ? "6" : "2"
    interval  = var.interval
    log_group = var.log_group
    binary    = var.binary
  })
}

resource "alicloud_ram_policy" "fwsync" {
  policy_name     = var.name
  policy_document = local.permissions
  description     = "fwsync, ${var.access}: the calls that it makes and no others"
}

resource "alicloud_ram_role" "fwsync" {
  role_name                   = var.name
  assume_role_policy_document = local.trust
  description                 = "fwsync on an ECS instance"
}

resource "alicloud_ram_role_policy_attachment" "fwsync" {
  policy_name = alicloud_ram_policy.fwsync.policy_name
  policy_type = "Custom"
  role_name   = alicloud_ram_role.fwsync.role_name
}
