# The plan as a table of facts, without AWS: `terraform test`.
# Who may do what is tried on the policies themselves: tests/terraform/test_rights.py.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
}

override_resource {
  target = aws_kms_key.root
  values = { arn = "arn:aws:kms:eu-central-1:111122223333:key/root" }
}

override_resource {
  target = aws_kms_key.store
  values = { arn = "arn:aws:kms:eu-central-1:111122223333:key/store" }
}

override_resource {
  target = aws_iam_role.process["web"]
  values = { arn = "arn:aws:iam::111122223333:role/hale-web" }
}

override_resource {
  target = aws_iam_role.process["disposer"]
  values = { arn = "arn:aws:iam::111122223333:role/hale-disposer" }
}

override_resource {
  target = aws_iam_role.process["signer"]
  values = { arn = "arn:aws:iam::111122223333:role/hale-signer" }
}

override_resource {
  target = aws_iam_role.process["service"]
  values = { arn = "arn:aws:iam::111122223333:role/hale-service" }
}

variables {
  name   = "hale"
  region = "eu-central-1"
}

run "as_it_comes" {
  command = apply

  assert {
    condition = output.settings == {
      MUNIMENT_BLOBS       = "s3://hale-documents"
      MUNIMENT_KEY_PLACES  = "s3://hale-keys-1,s3://hale-keys-2"
      MUNIMENT_ANCHORS     = "s3://hale-anchors"
      MUNIMENT_ANCHOR_DAYS = "2557"
      MUNIMENT_ROOT_KEY    = "aws-kms:arn:aws:kms:eu-central-1:111122223333:key/root"
      MUNIMENT_AWS_REGION  = "eu-central-1"
    }
    error_message = "The outputs are the service's settings."
  }

  assert {
    condition     = toset(keys(output.roles)) == toset(["web", "disposer", "signer"])
    error_message = "Every duty has a role of its own."
  }

  assert {
    condition     = aws_s3_bucket_versioning.documents.versioning_configuration[0].status == "Enabled"
    error_message = "A plain DELETE only hides a document."
  }

  assert {
    condition     = aws_s3_bucket.documents.object_lock_enabled != true && alltrue([for bucket in aws_s3_bucket.keys : bucket.object_lock_enabled != true])
    error_message = "What must be destroyed is never locked."
  }

  assert {
    condition     = length(aws_s3_bucket.keys) == 2 && alltrue([for versioning in aws_s3_bucket_versioning.keys : versioning.versioning_configuration[0].status == "Disabled"])
    error_message = "A key that is deleted has no other version."
  }

  assert {
    condition = (
      aws_s3_bucket.anchors.object_lock_enabled &&
      aws_s3_bucket_versioning.anchors.versioning_configuration[0].status == "Enabled" &&
      aws_s3_bucket_object_lock_configuration.anchors.rule[0].default_retention[0].mode == "COMPLIANCE" &&
      aws_s3_bucket_object_lock_configuration.anchors.rule[0].default_retention[0].days == 2557
    )
    error_message = "Anchors are locked in compliance mode for seven years."
  }

  assert {
    condition = alltrue([
      for block in concat([aws_s3_bucket_public_access_block.documents, aws_s3_bucket_public_access_block.anchors], values(aws_s3_bucket_public_access_block.keys)) :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "No bucket is public."
  }

  assert {
    condition = alltrue([
      for lifecycle in concat([aws_s3_bucket_lifecycle_configuration.documents, aws_s3_bucket_lifecycle_configuration.anchors], values(aws_s3_bucket_lifecycle_configuration.keys)) :
      alltrue([for rule in lifecycle.rule : length(rule.expiration) == 0 && length(rule.noncurrent_version_expiration) == 0])
    ])
    error_message = "No clock deletes an object or a version."
  }

  assert {
    condition     = alltrue([for key in [aws_kms_key.root, aws_kms_key.store] : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "KMS keys rotate, and a deleted one can be brought back for 30 days."
  }

  assert {
    condition     = aws_kms_key.root.arn != one(aws_s3_bucket_server_side_encryption_configuration.documents.rule).apply_server_side_encryption_by_default[0].kms_master_key_id
    error_message = "The root key is not the key of S3's own encryption."
  }
}

run "one_process_has_one_role" {
  command = apply

  variables {
    one_process = true
    key_places  = 1
  }

  assert {
    condition     = output.roles == { service = "arn:aws:iam::111122223333:role/hale-service" }
    error_message = "The one role has all three duties."
  }

  assert {
    condition     = toset(keys(aws_iam_role_policy.process)) == toset(["service-web", "service-disposer", "service-signer"])
    error_message = "The one role has all three duties."
  }

  assert {
    condition     = output.settings.MUNIMENT_KEY_PLACES == "s3://hale-keys-1"
    error_message = "One place is asked for by its number."
  }
}

run "two_places_one_process" {
  command = apply

  variables {
    one_process = true
  }
}

run "four_key_places_are_refused" {
  command         = plan
  expect_failures = [var.key_places]
  variables { key_places = 4 }
}

run "a_name_that_no_bucket_can_have_is_refused" {
  command         = plan
  expect_failures = [var.name]
  variables { name = "Hale & Partners" }
}

run "a_key_that_is_gone_at_once_is_refused" {
  command         = plan
  expect_failures = [var.key_deletion_days]
  variables { key_deletion_days = 1 }
}

run "anchors_without_a_lock_are_refused" {
  command         = plan
  expect_failures = [var.anchor_retain_days]
  variables { anchor_retain_days = 0 }
}

run "an_upload_of_yesterday_is_not_given_up" {
  command         = plan
  expect_failures = [var.unfinished_upload_days]
  variables { unfinished_upload_days = 1 }
}
