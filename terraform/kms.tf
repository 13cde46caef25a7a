# Two keys, so that neither stands in for the other:
#   root   wraps the keys of firms and engagements (MUNIMENT_ROOT_KEY). It is what our sealing rests on.
#   store  is S3's own encryption at rest, a second layer under the sealed contents.
#
# Who may use a key is written in its policy and nowhere else. The account itself gets the administration of a key but not
# its use, so no IAM policy of the account, however wide, opens anything: that takes a change of the key's policy, which
# CloudTrail shows. Administration also leaves out CreateGrant, the quiet way round a policy.

locals {
  # The name under which the service sends what a key is for. A call without it, or with anything beside it, is not ours.
  context_name = "muniment"

  ours = {
    Null                        = { "kms:EncryptionContext:${local.context_name}" = "false" }
    "ForAllValues:StringEquals" = { "kms:EncryptionContextKeys" = [local.context_name] }
  }

  key_administration = {
    Sid       = "AdministerNotUse"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    Resource  = "*" # in a key's policy: this key
    Action = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
      "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
      "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags",
      "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource",
      "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
  }

  # Through S3 only, and only for the buckets named: nobody can hand S3's ciphertext to KMS himself.
  through_s3 = { "kms:ViaService" = "s3.${var.region}.${data.aws_partition.current.dns_suffix}" }
  sealed_by_store = {
    # With a bucket key S3 names the bucket, without one the object.
    documents = [local.documents_arn, "${local.documents_arn}/*"]
    keys      = concat(local.keys_arns, [for arn in local.keys_arns : "${arn}/*"])
  }
}

resource "aws_kms_key" "root" {
  description             = "${var.name}: root key of Muniment; deleting it destroys every document for good"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_administration,
      {
        # Every duty opens keys, and every process wraps a probe when it starts. What is wrapped is worth nothing until it is
        # written to a key place, and that the buckets decide.
        Sid       = "WrapAndUnwrapForOurPurposes"
        Effect    = "Allow"
        Principal = { AWS = values(local.role_arns) }
        Action    = ["kms:Encrypt", "kms:Decrypt"]
        Resource  = "*"
        Condition = local.ours
      },
      {
        Sid       = "LookAtTheKey"
        Effect    = "Allow"
        Principal = { AWS = values(local.role_arns) }
        Action    = ["kms:DescribeKey", "kms:GetKeyRotationStatus"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "root" {
  name          = "alias/${var.name}-root"
  target_key_id = aws_kms_key.root.key_id
}

resource "aws_kms_key" "store" {
  description             = "${var.name}: S3's encryption at rest of documents and key objects"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_administration,
      {
        Sid       = "WriteAndReadDocumentsAndKeys"
        Effect    = "Allow"
        Principal = { AWS = local.holders.web }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          StringEquals = local.through_s3
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = concat(local.sealed_by_store.documents, local.sealed_by_store.keys) }
        }
      },
      {
        Sid       = "ReadDocuments"
        Effect    = "Allow"
        Principal = { AWS = local.holders.disposer }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = {
          StringEquals = local.through_s3
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = local.sealed_by_store.documents }
        }
      },
      {
        Sid       = "RewrapKeys"
        Effect    = "Allow"
        Principal = { AWS = local.holders.disposer }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = {
          StringEquals = local.through_s3
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = local.sealed_by_store.keys }
        }
      },
      {
        Sid       = "ReadKeys"
        Effect    = "Allow"
        Principal = { AWS = local.holders.signer }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = {
          StringEquals = local.through_s3
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = local.sealed_by_store.keys }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "store" {
  name          = "alias/${var.name}-store"
  target_key_id = aws_kms_key.store.key_id
}
