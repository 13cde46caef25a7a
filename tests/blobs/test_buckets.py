"""The start-up check of buckets: what is unsafe is refused, what cannot be told is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from service.aws import s3_client
from service.blobs.buckets import Holds, check_bucket
from service.errors import StoreUnavailableError, UnsafeError
from tests.buckets import Buckets
from tests.fakes.clients import FaultyClient, LostAnswerError
from tests.seaweed import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
QUESTIONS = (
    "get_public_access_block",
    "get_bucket_policy",
    "get_bucket_versioning",
    "get_bucket_replication",
    "get_object_lock_configuration",
)


def tls_only(bucket: str, **changes: Any) -> str:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})


def make(client: S3Client, bucket: str, *, lock: str = "") -> None:
    """A bucket that is safe; with Object Lock by default in a mode where one is given."""
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=bool(lock))
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCKED)  # type: ignore[arg-type]  # plain dict
    client.put_bucket_policy(Bucket=bucket, Policy=tls_only(bucket))
    if lock:
        rule: Any = {"DefaultRetention": {"Mode": lock, "Days": 1}}
        client.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )


@pytest.fixture
def aws() -> Iterator[S3Client]:
    """AWS as moto plays it: it has every setting, and the address is not on this machine."""
    with mock_aws():
        client = s3_client(region=REGION, endpoint="", connections=4)
        for holds in Holds:
            make(client, holds.value, lock="COMPLIANCE" if holds is Holds.ANCHORS else "")
        yield client


@pytest.mark.parametrize("holds", Holds)
def test_a_safe_bucket_passes_without_a_word(aws: S3Client, holds: Holds) -> None:
    assert check_bucket(aws, holds.value, holds) == ()


def versions(client: S3Client, bucket: str, status: Any = "Enabled") -> None:
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def suspended(client: S3Client, bucket: str) -> None:
    versions(client, bucket)
    versions(client, bucket, "Suspended")


def replicated(client: S3Client, bucket: str) -> None:
    """The answer that a replicated bucket gives (moto wants the versions that we refuse before)."""
    versions(client, bucket)
    make(client, "copies")
    versions(client, "copies")
    destination: Any = {"Bucket": "arn:aws:s3:::copies"}
    client.put_bucket_replication(
        Bucket=bucket,
        ReplicationConfiguration={
            "Role": "arn:aws:iam::123456789012:role/copy",
            "Rules": [{"Status": "Enabled", "Prefix": "", "Destination": destination}],
        },
    )


def policy(**changes: Any) -> Callable[[S3Client, str], None]:
    return lambda client, bucket: (
        client.put_bucket_policy(Bucket=bucket, Policy=tls_only(bucket, **changes)),
        None,
    )[1]


def half_blocked(client: S3Client, bucket: str) -> None:
    blocks: Any = {**BLOCKED, "BlockPublicPolicy": False}
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocks)


EVERY = tuple(Holds)
UNSAFE: dict[str, tuple[tuple[Holds, ...], Callable[[S3Client, str], Any], str]] = {
    "not blocked": (EVERY, lambda c, b: c.delete_public_access_block(Bucket=b), "all four switches"),
    "half blocked": (EVERY, half_blocked, "all four switches"),
    "no policy": (EVERY, lambda c, b: c.delete_bucket_policy(Bucket=b), "aws:SecureTransport"),
    "denies only reading": (EVERY, policy(Action="s3:GetObject"), "aws:SecureTransport"),
    "denies one user": (EVERY, policy(Principal={"AWS": "arn:aws:iam::1:user/u"}), "aws:SecureTransport"),
    "denies only objects": (EVERY, policy(Resource=["arn:aws:s3:::x/*"]), "aws:SecureTransport"),
    "denies what has TLS": (EVERY, policy(Condition={"Bool": {"aws:SecureTransport": "true"}}), "aws:SecureTransport"),
    "denies under two conditions": (
        EVERY,
        policy(Condition={"Bool": {"aws:SecureTransport": "false"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        "aws:SecureTransport",
    ),
    "versions of keys": ((Holds.KEYS,), versions, "never kept any"),
    "versions of keys, once": ((Holds.KEYS,), suspended, "never kept any"),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_an_unsafe_bucket_is_refused_and_told_what_to_change(aws: S3Client, what: str) -> None:
    kinds, spoil, advice = UNSAFE[what]
    for holds in kinds:
        spoil(aws, holds.value)
        with pytest.raises(UnsafeError, match=advice) as refused:
            check_bucket(aws, holds.value, holds)
        assert f"({holds.value})" in refused.value.message


@pytest.mark.parametrize("holds", [Holds.DOCUMENTS, Holds.KEYS])
@pytest.mark.parametrize("lock", ["COMPLIANCE", "GOVERNANCE"])
def test_what_must_die_is_never_kept_in_a_bucket_that_locks(aws: S3Client, holds: Holds, lock: str) -> None:
    make(aws, "locked", lock=lock)
    with pytest.raises(UnsafeError):
        check_bucket(aws, "locked", holds)


@pytest.mark.parametrize("lock", ["", "GOVERNANCE"])
def test_anchors_are_kept_only_where_nobody_can_shorten_the_lock(aws: S3Client, lock: str) -> None:
    make(aws, "loose", lock=lock)
    with pytest.raises(UnsafeError, match="compliance"):
        check_bucket(aws, "loose", Holds.ANCHORS)


def test_a_bucket_with_a_lock_and_no_default_does_not_take_anchors(aws: S3Client) -> None:
    make(aws, "loose", lock="COMPLIANCE")
    aws.put_object_lock_configuration(Bucket="loose", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    with pytest.raises(UnsafeError, match="compliance"):
        check_bucket(aws, "loose", Holds.ANCHORS)


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_documents_may_keep_versions_since_all_are_deleted(aws: S3Client, status: str) -> None:
    versions(aws, "documents", status)
    assert check_bucket(aws, "documents", Holds.DOCUMENTS) == ()


def test_a_replica_of_documents_is_told(aws: S3Client) -> None:
    replicated(aws, "documents")
    [doubt] = check_bucket(aws, "documents", Holds.DOCUMENTS)
    assert "lives on there" in doubt


def test_a_replica_of_keys_is_refused(aws: S3Client) -> None:
    replicated(aws, "documents")
    answer = aws.get_bucket_replication(Bucket="documents")
    client = FaultyClient(aws)
    client.get_bucket_replication = lambda **_: answer  # type: ignore[attr-defined]  # see `replicated`
    with pytest.raises(UnsafeError, match="end the replication"):
        check_bucket(client, "keys", Holds.KEYS)  # type: ignore[arg-type]  # passes calls on


@pytest.mark.parametrize("holds", Holds)
def test_a_bucket_that_is_not_there_is_refused(aws: S3Client, holds: Holds) -> None:
    with pytest.raises(UnsafeError, match="not there"):
        check_bucket(aws, "none-such", holds)


@pytest.mark.parametrize(("code", "status"), [("NotImplemented", 501), ("AccessDenied", 403)])
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_not_answered_is_said(aws: S3Client, question: str, code: str, status: int) -> None:
    client = FaultyClient(aws)

    class RefusedError(ClientError):
        def __init__(self) -> None:
            super().__init__({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, question)  # type: ignore[typeddict-item]  # the rest is not looked at

    client.faults.plan(question, RefusedError, times=3)
    doubts = check_bucket(client, "documents", Holds.DOCUMENTS)  # type: ignore[arg-type]  # passes calls on
    assert len(doubts) == 1
    assert "look yourself" in doubts[0]


@pytest.mark.parametrize("question", ["head_bucket", *QUESTIONS])
def test_a_server_that_does_not_answer_at_all_is_away(aws: S3Client, question: str) -> None:
    client = FaultyClient(aws)
    client.faults.plan(question, LostAnswerError)
    with pytest.raises(StoreUnavailableError):
        check_bucket(client, "documents", Holds.DOCUMENTS)  # type: ignore[arg-type]  # passes calls on


def test_on_seaweedfs_what_it_cannot_tell_is_a_doubt_and_what_it_can_is_asked(buckets: Buckets) -> None:
    client = buckets.client
    names = {Holds.DOCUMENTS: buckets.documents, Holds.KEYS: buckets.keys, Holds.ANCHORS: buckets.anchors}
    for holds, name in names.items():
        blocked, plain = check_bucket(client, name, holds)
        assert "does not tell whether public access is blocked" in blocked
        assert "it is on this machine" in plain
    for name, holds in ((buckets.anchors, Holds.DOCUMENTS), (buckets.versioned, Holds.KEYS)):
        with pytest.raises(UnsafeError):
            check_bucket(client, name, holds)
    with pytest.raises(UnsafeError):
        check_bucket(client, buckets.documents, Holds.ANCHORS)


def test_on_seaweedfs_a_policy_or_list_that_opens_it_to_everybody_is_refused(buckets: Buckets) -> None:
    client, name = buckets.client, "open-to-all"
    client.create_bucket(Bucket=name)
    open_to_all = tls_only(name, Effect="Allow", Action="s3:GetObject", Condition={})
    client.put_bucket_policy(Bucket=name, Policy=open_to_all)
    with pytest.raises(UnsafeError, match="by its policy"):
        check_bucket(client, name, Holds.DOCUMENTS)
    client.delete_bucket_policy(Bucket=name)
    client.delete_bucket(Bucket=name)
