"""terraform/ applied to an AWS that only pretends, planned again, looked at, destroyed.

One test, because it is one installation and takes a minute. The provider watches a bucket's lifecycle rules for 50 s
before it believes them, so the suite leaves those out and the long run applies everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from service.blobs.buckets import Holds, check_bucket
from service.config import BucketLocation, Settings
from service.errors import UnsafeError
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


@dataclass(frozen=True, slots=True)
class Applied:
    """What stands after an apply, and where."""

    terraform: Terraform
    address: str
    settings: dict[str, str]

    def s3(self) -> S3Client:
        """A client of the pretended S3."""
        return boto3.client("s3", endpoint_url=self.address, config=_config(), **_credentials())

    def read(self) -> Settings:
        """The settings as the service reads them."""
        given = {name.removeprefix("MUNIMENT_").lower(): value for name, value in self.settings.items()}
        return Settings.model_validate(given)

    def kms(self) -> KMSClient:
        """A client of the pretended KMS."""
        return boto3.client("kms", endpoint_url=self.address, config=_config(), **_credentials())


def _credentials() -> dict[str, Any]:
    return {"region_name": REGION, "aws_access_key_id": "pretended", "aws_secret_access_key": "pretended"}


def _config() -> Config:
    return Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})


@contextmanager
def applied(terraform: Terraform, address: str) -> Iterator[Applied]:
    """An installation for the time of the block; destroying it has to succeed and leave nothing."""
    (terraform.folder / "pretended_override.tf").write_text(_PROVIDER.format(address=address))
    terraform.run("apply", "-auto-approve", *_VARIABLES)
    done = Applied(terraform, address, json.loads(terraform.run("output", "-json", "settings").stdout))
    yield done
    terraform.run("destroy", "-auto-approve", "-refresh=false", *_VARIABLES)
    assert done.s3().list_buckets()["Buckets"] == []
    assert terraform.run("state", "list").stdout == ""


@pytest.mark.long
def test_what_is_applied_stays_suits_the_service_and_can_be_destroyed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    terraform = prepared(tmp_path_factory)
    with running_moto(tmp_path_factory.mktemp("moto")) as address, applied(terraform, address) as done:
        require_empty_plan(done)
        require_settings(done)
        require_buckets(done)
        require_root_key(done)
        require_no_doubts(done)


def require_empty_plan(applied: Applied) -> None:
    """A second plan finds nothing to change."""
    done = applied.terraform.run("plan", "-detailed-exitcode", *_VARIABLES, check=False)
    assert done.returncode == _NO_CHANGES, done.stdout


def require_settings(applied: Applied) -> None:
    """The output is what the service reads from its environment, every name of it known to the service."""
    root = applied.kms().describe_key(KeyId="alias/hale-root")["KeyMetadata"]["Arn"]
    assert applied.settings == {
        "MUNIMENT_BLOBS": "s3://hale-documents",
        "MUNIMENT_KEY_PLACES": "s3://hale-keys-1,s3://hale-keys-2",
        "MUNIMENT_ANCHORS": "s3://hale-anchors",
        "MUNIMENT_ANCHOR_DAYS": "2557",
        "MUNIMENT_ROOT_KEY": f"aws-kms:{root}",
        "MUNIMENT_AWS_REGION": REGION,
    }
    assert {name.removeprefix("MUNIMENT_").lower() for name in applied.settings} <= Settings.model_fields.keys()


def require_buckets(applied: Applied) -> None:
    """Versions, locks and walls are where the design wants them, as the server has them."""
    s3 = applied.s3()
    assert s3.get_bucket_versioning(Bucket="hale-documents")["Status"] == "Enabled"
    for name in ("hale-keys-1", "hale-keys-2"):
        assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    for name in ("hale-documents", "hale-keys-1", "hale-keys-2"):
        with pytest.raises(ClientError, match="ObjectLockConfigurationNotFoundError"):
            s3.get_object_lock_configuration(Bucket=name)
    retention = s3.get_object_lock_configuration(Bucket="hale-anchors")["ObjectLockConfiguration"]["Rule"]
    assert (retention["DefaultRetention"]["Mode"], retention["DefaultRetention"]["Days"]) == ("COMPLIANCE", 2557)
    for name in ("hale-documents", "hale-keys-1", "hale-keys-2", "hale-anchors"):
        assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}


def require_root_key(applied: Applied) -> None:
    """The key of the settings is enabled, rotates, and wraps in a context that unwrapping has to repeat."""
    kms, arn = applied.kms(), applied.settings["MUNIMENT_ROOT_KEY"].removeprefix("aws-kms:")
    said = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (said["KeyState"], said["KeySpec"], said["KeyUsage"]) == ("Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"]
    wrapped = kms.encrypt(KeyId=arn, Plaintext=b"probe", EncryptionContext={"muniment": "AA=="})["CiphertextBlob"]
    assert (
        kms.decrypt(KeyId=arn, CiphertextBlob=wrapped, EncryptionContext={"muniment": "AA=="})["Plaintext"] == b"probe"
    )
    with pytest.raises(ClientError):
        kms.decrypt(KeyId=arn, CiphertextBlob=wrapped)


def require_no_doubts(applied: Applied) -> None:
    """The service's own start-up check accepts every bucket, and is told all it asks."""
    settings = applied.read()
    assert isinstance(settings.blobs, BucketLocation)
    assert isinstance(settings.anchors, BucketLocation)
    given = [(settings.blobs, Holds.DOCUMENTS), (settings.anchors, Holds.ANCHORS)]
    given += [(place, Holds.KEYS) for place in settings.key_places if isinstance(place, BucketLocation)]
    assert len(given) == 4
    assert [doubt for place, holds in given for doubt in check_bucket(applied.s3(), place.bucket, holds)] == []
    with pytest.raises(UnsafeError, match="Object Lock"):  # and they can say no
        check_bucket(applied.s3(), settings.blobs.bucket, Holds.ANCHORS)
    with pytest.raises(UnsafeError, match="versions"):
        check_bucket(applied.s3(), settings.blobs.bucket, Holds.KEYS)
