# Who may do what: three duties, a role for each. README.md has the table; tests/terraform/rights.csv is compared with it.
#
#   web       serves people: writes and reads documents and keys. It can neither delete nor write over any of them, so a web
#             process that was broken into can steal what it can open, and destroy nothing.
#   disposer  ends engagements: places tombstones, deletes documents and keys, rewraps keys, collects what is left over.
#             Writes no document.
#   signer    writes anchors and nothing else; reads key objects, for the log's signing key is one.
#
# These policies only allow. What nobody may do is denied by the buckets, and who may use a KMS key is said by the key.

locals {
  duties = toset(["web", "disposer", "signer"])
  roles  = var.one_process ? { service = local.duties } : { for duty in local.duties : duty => toset([duty]) }

  role_arns = { for name, role in aws_iam_role.process : name => role.arn }
  # Whose hands a duty is in: the roles that keys and buckets name.
  holders = { for duty in local.duties : duty => [for name, duties in local.roles : local.role_arns[name] if contains(duties, duty)] }

  documents_objects = "${local.documents_arn}/*"
  keys_objects      = [for arn in local.keys_arns : "${arn}/*"]
  anchors_objects   = "${local.anchors_arn}/*"
  bucket_arns       = values(local.buckets)

  # The service looks at its buckets when it starts, and refuses unsafe ones. To see whether a bucket is there takes the
  # right to list it, and without that right S3 answers "denied" for what is not there. Names in it are ids.
  may_look = {
    Sid    = "LookAtTheBuckets"
    Effect = "Allow"
    Action = [
      "s3:GetBucketLocation", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls",
      "s3:GetBucketPolicy", "s3:GetBucketPolicyStatus", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning",
      "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket",
    ]
    Resource = local.bucket_arns
  }

  # By version: a marker hides an anchor, and another version may lie before it, but the locked one stays.
  may_read_anchors = {
    Sid      = "ReadAnchorsByVersion"
    Effect   = "Allow"
    Action   = ["s3:GetObjectVersion", "s3:GetObjectRetention"]
    Resource = local.anchors_objects
  }

  may_write_anchors = {
    Sid      = "WriteAnchors"
    Effect   = "Allow"
    Action   = ["s3:PutObject", "s3:PutObjectRetention"]
    Resource = local.anchors_objects
  }

  allowed = {
    web = [
      local.may_look,
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
        Resource = local.bucket_arns
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = concat([local.documents_objects, local.anchors_objects], local.keys_objects)
      },
      local.may_read_anchors,
      {
        Sid      = "WriteOnce" # DenyOverwriting, OnlyTheDisposerOverwrites
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = concat([local.documents_objects], local.keys_objects)
      },
      {
        # To give up an upload that broke off is no deletion: there is no object yet.
        Sid      = "GiveUpUploads"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = local.documents_objects
      },
    ]

    disposer = [
      local.may_look,
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
        Resource = local.bucket_arns
      },
      {
        # An only copy is read back by its hash before its key dies; earlier versions too, to see that they do not open.
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = concat([local.documents_objects, local.anchors_objects], local.keys_objects)
      },
      local.may_read_anchors,
      {
        Sid      = "Delete"
        Effect   = "Allow"
        Action   = local.deleting
        Resource = concat([local.documents_objects], local.keys_objects)
      },
      {
        Sid      = "GiveUpUploads"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = concat([local.documents_objects], local.keys_objects)
      },
      {
        Sid      = "RewrapKeys"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = local.keys_objects
      },
      # Before a key dies its tombstone is placed among the anchors, where no restore takes it back.
      local.may_write_anchors,
    ]

    signer = [
      local.may_look,
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = "s3:ListBucketVersions"
        Resource = local.anchors_arn
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = concat([local.anchors_objects], local.keys_objects)
      },
      local.may_read_anchors,
      local.may_write_anchors,
    ]
  }
}

resource "aws_iam_role" "process" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  description          = "Muniment: ${join(", ", sort(each.value))}"
  max_session_duration = 3600

  # Tasks of this account alone: another account's use of the same AWS service cannot borrow the role.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "process" {
  for_each = merge([for name, duties in local.roles : { for duty in duties : "${name}-${duty}" => { role = name, duty = duty } }]...)

  name   = each.value.duty
  role   = aws_iam_role.process[each.value.role].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.allowed[each.value.duty] })
}
