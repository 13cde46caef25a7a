# The bucket of anchors (MUNIMENT_ANCHORS): the log's signed heads, written once and locked.
#
# Compliance mode: until its day comes nobody can delete or shorten, the account's root user included. So a stolen account
# can add anchors but not take any back, and a rewritten log contradicts them.
#
# Encrypted by S3's own key and not by one in KMS: whoever deleted that key would have deleted every anchor, lock or no lock.
# There are no names or contents in an anchor.

locals {
  anchors_name = "${var.name}-anchors"
  anchors_arn  = "arn:${local.partition}:s3:::${local.anchors_name}"
}

resource "aws_s3_bucket" "anchors" {
  #checkov:skip=CKV_AWS_18: Anchors are public by nature; who wrote them is in CloudTrail's data events of the account.
  #checkov:skip=CKV_AWS_144: A second copy of the anchors belongs to another party (a witness), not to the same account.
  #checkov:skip=CKV_AWS_145: A KMS key can be deleted and would take the locked anchors with it; S3's own key cannot.
  #checkov:skip=CKV2_AWS_62: Nothing waits for events: the signer writes every anchor itself.

  bucket              = local.anchors_name
  force_destroy       = false
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "anchors" {
  bucket = aws_s3_bucket.anchors.id

  versioning_configuration {
    status = "Enabled" # a lock holds versions
  }
}

resource "aws_s3_bucket_object_lock_configuration" "anchors" {
  bucket = aws_s3_bucket_versioning.anchors.bucket

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = var.anchor_retain_days
    }
  }
}

resource "aws_s3_bucket_public_access_block" "anchors" {
  bucket                  = aws_s3_bucket.anchors.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "anchors" {
  bucket = aws_s3_bucket.anchors.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "anchors" {
  bucket = aws_s3_bucket.anchors.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "anchors" {
  bucket = aws_s3_bucket.anchors.id

  rule {
    id     = "give-up-unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.unfinished_upload_days
    }
  }
}

resource "aws_s3_bucket_policy" "anchors" {
  bucket     = aws_s3_bucket.anchors.id
  depends_on = [aws_s3_bucket_public_access_block.anchors]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.deny_unsafe_requests["anchors"], [local.deny_callers_keys["anchors"]], [
      {
        # The same reason as above, for a single object.
        Sid       = "DenyKmsKeys"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.anchors_arn}/*"
        Condition = {
          Null            = { "s3:x-amz-server-side-encryption" = "false" }
          StringNotEquals = { "s3:x-amz-server-side-encryption" = "AES256" }
        }
      },
      {
        # The lock keeps the old version, but a reader by name would be shown the new one.
        Sid       = "DenyOverwriting"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.anchors_arn}/*"
        Condition = local.overwriting
      },
      {
        # A marker would hide what the lock keeps.
        Sid       = "DenyHiding"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:DeleteObject"
        Resource  = "${local.anchors_arn}/*"
      },
      {
        # The other mode can be undone by whoever has the right to; a writer may not choose it for his anchors.
        Sid       = "DenyOtherModes"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource  = "${local.anchors_arn}/*"
        Condition = {
          Null            = { "s3:object-lock-mode" = "false" }
          StringNotEquals = { "s3:object-lock-mode" = "COMPLIANCE" }
        }
      },
      {
        # Nor a shorter time. A day is left for the clock: S3 counts whole days that remain.
        Sid       = "DenyShorterRetention"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource  = "${local.anchors_arn}/*"
        Condition = { NumericLessThan = { "s3:object-lock-remaining-retention-days" = tostring(var.anchor_retain_days - 1) } }
      },
    ])
  })
}
