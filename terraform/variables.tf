variable "name" {
  description = "Name of the RAM role and of its policy."
  type        = string
  default     = "fwsync"

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$", var.name))
    error_message = "The name is 1 to 64 letters, digits and dashes, and does not start with a dash."
  }
}

variable "access" {
  description = "\"read-only\" lets the job plan and changes nothing, \"write\" lets it reconcile."
  type        = string
  default     = "read-only"

  validation {
    condition     = contains(["read-only", "write"], var.access)
    error_message = "The access is read-only or write."
  }
}

variable "region" {
  description = "Region of the security groups and of the Cloud Firewall endpoint, such as cn-hangzhou."
  type        = string
}

variable "owner" {
  description = "Owner marker of this installation: it changes only objects that bear it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", var.owner))
    error_message = "The owner is 1 to 32 of a-z, 0-9 and inner dashes."
  }
}

variable "policies" {
  description = "Policy files by name, such as { \"smtp.yaml\" = file(\"smtp.yaml\") }."
  type        = map(string)

  validation {
    condition     = length(var.policies) > 0 && alltrue([for name in keys(var.policies) : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*\\.ya?ml$", name))])
    error_message = "At least one policy file is needed, each named like smtp.yaml."
  }
}

variable "sources" {
  description = "Logs that are read. The zone is that of stamps that have none."
  type = list(object({
    name = string
    file = string
    zone = optional(string, "UTC")
  }))
  default = [{ name = "mail", file = "/var/log/mail.log" }]

  validation {
    condition     = alltrue([for s in var.sources : startswith(s.file, "/")])
    error_message = "The files of the sources are absolute paths."
  }
}

variable "operator" {
  description = "Addresses and prefixes of the people who operate this: never blocked."
  type        = list(string)
  default     = []
}

variable "interval" {
  description = "Pause between the end of one run and the start of the next, as systemd writes it."
  type        = string
  default     = "1min"

  validation {
    condition     = can(regex("^[1-9][0-9]*(s|min|h)$", var.interval))
    error_message = "The interval is a number and s, min or h, such as 1min."
  }
}

variable "log_group" {
  description = "Group of the server that may read the logs."
  type        = string
  default     = "adm"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]*$", var.log_group))
    error_message = "The log group is the name of a group."
  }
}

variable "binary" {
  description = "Where the server gets fwsync from, with its SHA-256. Null if the image has /usr/local/bin/fwsync."
  type = object({
    url    = string
    sha256 = string
  })
  default = null

  validation {
    condition     = var.binary == null || can(regex("^https://[A-Za-z0-9._~:/?&=%+-]+$", var.binary.url)) && can(regex("^[0-9a-f]{64}$", var.binary.sha256))
    error_message = "The binary has an https URL and a SHA-256 of 64 hex digits in lower case."
  }
}
