# The bucket of sealed contents (MUNIMENT_BLOBS).
#
# Versioned, because what protects the papers of a living engagement is that nothing destroys them by mistake: a plain
# DELETE, by whomever, only hides an object behind a marker that can be taken away, and S3 can copy the bucket to a backup
# account only when it has versions. What has to go does go: disposal deletes every version and marker by its id and counts
# them, and the destroyed key has made them noise before that. Nothing is ever written over, so an object has one version.
#
# Never locked: a lock would keep from deleting what a contract or a court says must be deleted.

locals {
  documents_name = "${var.name}-documents"
  documents_arn  = "arn:${local.partition}:s3:::${local.documents_name}"
}

resource "aws_s3_bucket" "documents" {
  #checkov:skip=CKV_AWS_18: Who read what is in our own log and in CloudTrail's data events of the account; server access logs arrive late and incomplete.
  #checkov:skip=CKV_AWS_144: A copy in another region is the deployer's choice of backup: it has to be declared (MUNIMENT_BACKUP_DAYS), for certificates name it.
  #checkov:skip=CKV2_AWS_62: Nothing waits for events: the service writes every object itself, and records it in its log.

  bucket        = local.documents_name
  force_destroy = false # S3 refuses to remove a bucket that has anything in it
}

resource "aws_s3_bucket_versioning" "documents" {
  bucket = aws_s3_bucket.documents.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "documents" {
  bucket                  = aws_s3_bucket.documents.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "documents" {
  bucket = aws_s3_bucket.documents.id

  rule {
    object_ownership = "BucketOwnerEnforced" # access lists are off; policies alone decide
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "documents" {
  bucket = aws_s3_bucket.documents.id

  rule {
    bucket_key_enabled = true # one call to KMS for many objects

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.store.arn
    }
  }
}

# Gives up parts that nobody finished, which are no objects yet, and nothing else. No rule here deletes an object or a
# version: what goes is decided by two people and recorded, not by a clock.
resource "aws_s3_bucket_lifecycle_configuration" "documents" {
  bucket = aws_s3_bucket.documents.id

  rule {
    id     = "give-up-unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.unfinished_upload_days
    }
  }
}

resource "aws_s3_bucket_policy" "documents" {
  bucket     = aws_s3_bucket.documents.id
  depends_on = [aws_s3_bucket_public_access_block.documents]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.deny_unsafe_requests["documents"], local.deny_other_encryption["documents"], [
      {
        Sid       = "DenyOverwriting"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.documents_arn}/*"
        Condition = local.overwriting
      },
      {
        # Whatever IAM says elsewhere in the account.
        Sid       = "OnlyTheDisposerDeletes"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.deleting
        Resource  = "${local.documents_arn}/*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = local.holders.disposer } }
      },
      {
        Sid       = "NeverLocked"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutBucketObjectLockConfiguration"
        Resource  = local.documents_arn
      },
    ])
  })
}
