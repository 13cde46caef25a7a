variable "name" {
  description = "Name of the installation; everything made here begins with it. Names of buckets are unique in the whole world."
  type        = string

  validation {
    # Together with the longest ending a bucket's name has at most 63 characters.
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "Take 3 to 40 lower-case letters, digits and hyphens, with neither end a hyphen."
  }
}

variable "region" {
  description = "AWS region of everything, for example eu-central-1."
  type        = string
}

variable "key_places" {
  description = "How many buckets keep the key objects. Every key is written to all, read from any, and destroyed in all."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 3], var.key_places)
    error_message = "There are one to three key places."
  }
}

variable "anchor_retain_days" {
  description = "How long nobody, the account's root user included, can delete or replace an anchor. It cannot be shortened for what is written."
  type        = number
  default     = 2557 # seven years

  validation {
    condition     = var.anchor_retain_days >= 1 && var.anchor_retain_days <= 36500 && floor(var.anchor_retain_days) == var.anchor_retain_days
    error_message = "Take whole days, 1 to 36500."
  }
}

variable "key_deletion_days" {
  description = "How long a KMS key that somebody deletes can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "AWS takes 7 to 30 days."
  }
}

variable "unfinished_upload_days" {
  description = "After how many days S3 gives up the parts of an upload that was never finished."
  type        = number
  default     = 7

  validation {
    # tus clients may resume for a day; below two days S3 could take the parts from under one that does.
    condition     = var.unfinished_upload_days >= 2 && floor(var.unfinished_upload_days) == var.unfinished_upload_days
    error_message = "Take whole days, at least 2."
  }
}

variable "one_process" {
  description = "Make one role for a process that serves, disposes and signs, instead of a role for each. See README.md for what that gives up."
  type        = bool
  default     = false
}
