# The buckets of key objects (MUNIMENT_KEY_PLACES): small, sealed under the root key, one object a firm, engagement, part or
# person.
#
# To destroy a key object is the cryptographic erase, so a deletion must be the end of it: no versions, no replication, no
# lock, no backup. The policy keeps it that way whoever administers the account: each of the three would let a key that a
# certificate calls destroyed come back. What guards against loss instead is a second place, and that only the disposer can
# delete or write over anything.

locals {
  keys_names = { for number in range(1, var.key_places + 1) : "keys-${number}" => "${var.name}-keys-${number}" }
  keys_arns  = [for name in values(local.keys_names) : "arn:${local.partition}:s3:::${name}"]
}

resource "aws_s3_bucket" "keys" {
  #checkov:skip=CKV_AWS_18: Who used a key is in our own log and in CloudTrail's data events of the account; server access logs arrive late and incomplete.
  #checkov:skip=CKV_AWS_21: A version kept would be a key that was not destroyed: erasing is deleting the only copy.
  #checkov:skip=CKV_AWS_144: A replica would be a key that was not destroyed. The other key places are the second copy, and the service deletes in all of them.
  #checkov:skip=CKV2_AWS_62: Nothing waits for events: the service writes and deletes every object itself, and records it in its log.

  for_each = local.keys_names

  bucket        = each.value
  force_destroy = false
}

resource "aws_s3_bucket_versioning" "keys" {
  for_each = aws_s3_bucket.keys

  bucket = each.value.id

  versioning_configuration {
    status = "Disabled" # said, so that a plan shows when somebody switched it on
  }
}

resource "aws_s3_bucket_public_access_block" "keys" {
  for_each = aws_s3_bucket.keys

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "keys" {
  for_each = aws_s3_bucket.keys

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "keys" {
  for_each = aws_s3_bucket.keys

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.store.arn
    }
  }
}

# Key objects are a few hundred bytes and never written in parts: what is there in parts is not ours.
resource "aws_s3_bucket_lifecycle_configuration" "keys" {
  for_each = aws_s3_bucket.keys

  bucket = each.value.id

  rule {
    id     = "give-up-unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.unfinished_upload_days
    }
  }
}

resource "aws_s3_bucket_policy" "keys" {
  for_each = aws_s3_bucket.keys

  bucket     = each.value.id
  depends_on = [aws_s3_bucket_public_access_block.keys]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.deny_unsafe_requests[each.key], local.deny_other_encryption[each.key], [
      {
        # Rotation writes a rewrapped key over the old one, and runs as the disposer, who could delete it anyway.
        Sid       = "OnlyTheDisposerOverwrites"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.buckets[each.key]}/*"
        Condition = merge(local.overwriting, { ArnNotEquals = { "aws:PrincipalArn" = local.holders.disposer } })
      },
      {
        Sid       = "OnlyTheDisposerDeletes"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.deleting
        Resource  = "${local.buckets[each.key]}/*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = local.holders.disposer } }
      },
      {
        Sid       = "NeverVersionedReplicatedOrLocked"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutBucketVersioning", "s3:PutReplicationConfiguration", "s3:PutBucketObjectLockConfiguration"]
        Resource  = local.buckets[each.key]
      },
    ])
  })
}
