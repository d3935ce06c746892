output "role_name" {
  description = "Role to attach to the instance."
  value       = alicloud_ram_role.fwsync.role_name
}

output "role_arn" {
  description = "The role's ARN."
  value       = alicloud_ram_role.fwsync.arn
}

output "policy_document" {
  description = "The permissions, for review or for a role made elsewhere."
  value       = local.permissions
}

output "user_data" {
  description = "Cloud-init user data of the instance, plain text. It holds no secret."
  value       = local.user_data

  precondition {
    condition     = length(local.user_data) <= 16384
    error_message = "The user data is longer than the 16 KB that ECS takes: bake the policies into the image."
  }
}
