# Statements that several buckets' policies share; each is a function of the bucket's ARN.
# Buckets' policies here only deny: rights are given by the roles' own policies (iam.tf), and hold for nobody else.

locals {
  buckets = merge(
    { documents = local.documents_arn, anchors = local.anchors_arn },
    { for number, name in local.keys_names : number => "arn:${local.partition}:s3:::${name}" },
  )

  # TLS 1.2 or later, whoever asks; and no links: a signature in an address or a form opens to whoever has it.
  deny_unsafe_requests = { for name, arn in local.buckets : name => [
    {
      Sid       = "DenyPlainHttp"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "DenyOldTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
    {
      Sid       = "DenyLinks"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { StringEquals = { "s3:authType" = ["REST-QUERY-STRING", "POST"] } }
    },
  ] }

  # A request may leave encryption to the bucket's default or name the same; it may not name another key, a weaker kind,
  # or a key of the caller's own, with which a thief of credentials could make objects unreadable for us.
  # The "Null" lines keep the statements to requests that say something: a negated test alone also matches silence.
  deny_other_encryption = { for name, arn in local.buckets : name => [
    {
      Sid       = "DenyOtherEncryption"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${arn}/*"
      Condition = {
        Null            = { "s3:x-amz-server-side-encryption" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      }
    },
    {
      Sid       = "DenyOtherKmsKeys"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${arn}/*"
      Condition = {
        Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = aws_kms_key.store.arn }
      }
    },
    local.deny_callers_keys[name],
  ] }

  deny_callers_keys = { for name, arn in local.buckets : name => {
    Sid       = "DenyCallersOwnKeys"
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:PutObject"
    Resource  = "${arn}/*"
    Condition = { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } }
  } }

  # To write over an object is to delete it. Parts of a multipart upload create nothing, so only what creates an object
  # must carry If-None-Match.
  overwriting = {
    Null = { "s3:if-none-match" = "true" }
    Bool = { "s3:ObjectCreationOperation" = "true" }
  }

  deleting = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
}
