"""terraform/ applied to an AWS that only pretends, planned again, looked at, destroyed.

The provider watches a bucket's lifecycle rules for 50 s before it believes them, so the suite leaves those out and the
long run applies everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.scale import LONG
from tests.terraform.conftest import prepared
from tests.terraform.moto import running_moto
from tests.terraform.programs import Terraform

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

REGION: Final = "eu-central-1"
_VARIABLES: Final = ("-var=name=hale", f"-var=region={REGION}")
_NO_CHANGES: Final = 0  # exit code of `plan -detailed-exitcode`; 2 where there are some

# Merged into the provider's block by terraform itself, as any file of this ending is.
_PROVIDER: Final = """
provider "aws" {{
  access_key                  = "pretended"
  secret_key                  = "pretended"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {{
    iam = "{address}"
    kms = "{address}"
    s3  = "{address}"
    sts = "{address}"
  }}
}}
"""
_WITHOUT_LIFECYCLE: Final = """
resource "aws_s3_bucket_lifecycle_configuration" "documents" {
  count = 0
}

resource "aws_s3_bucket_lifecycle_configuration" "keys" {
  for_each = {}
}

resource "aws_s3_bucket_lifecycle_configuration" "anchors" {
  count = 0
}
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What stands after an apply, and where."""

    terraform: Terraform
    address: str
    settings: dict[str, str]

    def s3(self) -> S3Client:
        """A client of the pretended S3."""
        return boto3.client("s3", endpoint_url=self.address, config=_config(), **_credentials())

    def kms(self) -> KMSClient:
        """A client of the pretended KMS."""
        return boto3.client("kms", endpoint_url=self.address, config=_config(), **_credentials())


def _credentials() -> dict[str, Any]:
    return {"region_name": REGION, "aws_access_key_id": "pretended", "aws_secret_access_key": "pretended"}


def _config() -> Config:
    return Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """An installation for this module's tests; destroyed at the end, which has to succeed and leave nothing."""
    terraform = prepared(tmp_path_factory)
    with running_moto(tmp_path_factory.mktemp("moto")) as address:
        (terraform.folder / "pretended_override.tf").write_text(_PROVIDER.format(address=address))
        if not LONG:
            (terraform.folder / "quick_override.tf").write_text(_WITHOUT_LIFECYCLE)
        terraform.run("apply", "-auto-approve", *_VARIABLES)
        settings = json.loads(terraform.run("output", "-json", "settings").stdout)
        done = Applied(terraform, address, settings)
        yield done
        terraform.run("destroy", "-auto-approve", "-refresh=false", *_VARIABLES)
        assert done.s3().list_buckets()["Buckets"] == []
        assert terraform.run("state", "list").stdout == ""


def test_what_was_applied_needs_no_change(applied: Applied) -> None:
    done = applied.terraform.run("plan", "-detailed-exitcode", *_VARIABLES, check=False)
    assert done.returncode == _NO_CHANGES, done.stdout


def test_outputs_are_the_services_settings(applied: Applied) -> None:
    root = applied.kms().describe_key(KeyId="alias/hale-root")["KeyMetadata"]["Arn"]
    assert applied.settings == {
        "MUNIMENT_BLOBS": "s3://hale-documents",
        "MUNIMENT_KEY_PLACES": "s3://hale-keys-1,s3://hale-keys-2",
        "MUNIMENT_ANCHORS": "s3://hale-anchors",
        "MUNIMENT_ANCHOR_DAYS": "2557",
        "MUNIMENT_ROOT_KEY": f"aws-kms:{root}",
        "MUNIMENT_AWS_REGION": REGION,
    }


def test_buckets_are_what_the_design_needs(applied: Applied) -> None:
    s3 = applied.s3()
    assert s3.get_bucket_versioning(Bucket="hale-documents")["Status"] == "Enabled"
    for name in ("hale-keys-1", "hale-keys-2"):
        assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    for name in ("hale-documents", "hale-keys-1", "hale-keys-2"):
        with pytest.raises(ClientError, match="ObjectLockConfigurationNotFoundError"):
            s3.get_object_lock_configuration(Bucket=name)
    lock = s3.get_object_lock_configuration(Bucket="hale-anchors")["ObjectLockConfiguration"]
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 2557)
    for name in ("hale-documents", "hale-keys-1", "hale-keys-2", "hale-anchors"):
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}


def test_the_services_start_up_check_has_no_doubts_about_the_buckets(applied: Applied) -> None:
    buckets = pytest.importorskip("service.blobs.buckets", reason="the start-up check comes with the S3 store")
    given = [(applied.settings["MUNIMENT_BLOBS"], "documents"), (applied.settings["MUNIMENT_ANCHORS"], "anchors")]
    given += [(place, "keys") for place in applied.settings["MUNIMENT_KEY_PLACES"].split(",")]
    doubts = [
        doubt
        for place, holds in given
        for doubt in buckets.check_bucket(applied.s3(), place.removeprefix("s3://"), buckets.Holds(holds))
    ]
    assert doubts == []


def test_the_services_start_up_check_has_no_doubts_about_the_root_key(applied: Applied) -> None:
    roots = pytest.importorskip("service.crypto.kms_aws", reason="the root key in KMS comes with the KMS provider")
    root = roots.KmsRootKey(applied.kms(), applied.settings["MUNIMENT_ROOT_KEY"].removeprefix("aws-kms:"))
    assert root.check() == ()
