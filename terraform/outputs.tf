output "settings" {
  description = "The service's settings, as it reads them from its environment."
  value = {
    MUNIMENT_BLOBS       = "s3://${aws_s3_bucket.documents.bucket}"
    MUNIMENT_KEY_PLACES  = join(",", [for name in keys(local.keys_names) : "s3://${aws_s3_bucket.keys[name].bucket}"])
    MUNIMENT_ANCHORS     = "s3://${aws_s3_bucket.anchors.bucket}"
    MUNIMENT_ANCHOR_DAYS = tostring(var.anchor_retain_days)
    MUNIMENT_ROOT_KEY    = "aws-kms:${aws_kms_key.root.arn}" # not the alias, which can be pointed at another key
    MUNIMENT_AWS_REGION  = var.region
  }

  # A service that starts on half-made buckets would refuse them.
  depends_on = [
    aws_s3_bucket_lifecycle_configuration.documents,
    aws_s3_bucket_object_lock_configuration.anchors,
    aws_s3_bucket_ownership_controls.anchors,
    aws_s3_bucket_ownership_controls.documents,
    aws_s3_bucket_ownership_controls.keys,
    aws_s3_bucket_policy.anchors,
    aws_s3_bucket_policy.documents,
    aws_s3_bucket_policy.keys,
    aws_s3_bucket_server_side_encryption_configuration.documents,
    aws_s3_bucket_server_side_encryption_configuration.keys,
    aws_s3_bucket_versioning.documents,
    aws_s3_bucket_versioning.keys,
  ]
}

output "roles" {
  description = "ARN of each process's role."
  value       = local.role_arns
}
