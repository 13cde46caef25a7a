"""Anchors in a bucket: what its administrator cannot do, and what he can is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.anchors.bucket import AnchorBucket
from service.anchors.store import AnchorConflictError
from service.errors import UnavailableError
from tests.buckets import ANCHOR_DAYS, Buckets
from tests.fakes.clients import FaultyClient, LostAnswerError
from tests.world import Clock

LOG = "frm_" + "1" * 32
CLOCK = Clock(4_000_000_000_000)


@pytest.fixture
def prefix(buckets: Buckets) -> str:
    return buckets.prefix()


@pytest.fixture
def anchors(buckets: Buckets, prefix: str) -> AnchorBucket:
    return AnchorBucket(buckets.client, buckets.anchors, prefix, ANCHOR_DAYS, CLOCK)


def only_version(buckets: Buckets, prefix: str) -> tuple[str, str]:
    [version] = buckets.client.list_object_versions(Bucket=buckets.anchors, Prefix=prefix)["Versions"]
    return version["Key"], version["VersionId"]


def test_a_note_is_neither_deleted_nor_unlocked_nor_locked_for_less(
    buckets: Buckets, anchors: AnchorBucket, prefix: str
) -> None:
    anchors.put(LOG, 7, b"note")
    key, version = only_version(buckets, prefix)
    client, name = buckets.client, buckets.anchors
    sooner = datetime.fromtimestamp(CLOCK() // 1000, UTC)
    attacks: list[Callable[[], Any]] = [
        lambda: client.delete_object(Bucket=name, Key=key, VersionId=version),
        lambda: client.delete_object(Bucket=name, Key=key, VersionId=version, BypassGovernanceRetention=True),
        lambda: client.put_object_retention(
            Bucket=name, Key=key, VersionId=version, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": sooner}
        ),
        lambda: client.put_object_retention(
            Bucket=name,
            Key=key,
            VersionId=version,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": sooner + timedelta(days=10)},
            BypassGovernanceRetention=True,
        ),
    ]
    for attack in attacks:
        with pytest.raises(ClientError) as refused:
            attack()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    left = client.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key, "VersionId": version}]})
    assert len(left["Errors"]) == 1
    assert list(anchors.all(LOG)) == [(7, b"note")]


def test_a_note_is_locked_for_as_long_as_is_set(buckets: Buckets, anchors: AnchorBucket, prefix: str) -> None:
    anchors.put(LOG, 7, b"note")
    key, version = only_version(buckets, prefix)
    found = buckets.client.get_object_retention(Bucket=buckets.anchors, Key=key, VersionId=version)["Retention"]
    until = datetime.fromtimestamp(CLOCK() // 1000, UTC) + timedelta(days=ANCHOR_DAYS)
    assert (found["Mode"], found["RetainUntilDate"]) == ("COMPLIANCE", until)


def test_a_note_that_is_hidden_is_read_all_the_same(buckets: Buckets, anchors: AnchorBucket, prefix: str) -> None:
    anchors.put(LOG, 7, b"note")
    key, _ = only_version(buckets, prefix)
    buckets.client.delete_object(Bucket=buckets.anchors, Key=key)
    assert anchors.newest(LOG) == (7, b"note")
    assert list(anchors.all(LOG)) == [(7, b"note")]


def test_another_note_put_over_one_is_a_conflict_with_both_as_evidence(
    buckets: Buckets, anchors: AnchorBucket, prefix: str
) -> None:
    anchors.put(LOG, 7, b"first")
    key, _ = only_version(buckets, prefix)
    buckets.client.put_object(Bucket=buckets.anchors, Key=key, Body=b"forged")
    for read in (lambda: anchors.newest(LOG), lambda: list(anchors.all(LOG))):
        with pytest.raises(AnchorConflictError) as caught:
            read()
        assert (caught.value.size, caught.value.kept, caught.value.offered) == (7, b"first", b"forged")


def test_another_note_put_in_the_place_of_a_hidden_one_is_a_conflict(
    buckets: Buckets, anchors: AnchorBucket, prefix: str
) -> None:
    anchors.put(LOG, 7, b"first")
    key, _ = only_version(buckets, prefix)
    buckets.client.delete_object(Bucket=buckets.anchors, Key=key)
    anchors.put(LOG, 7, b"second")  # a server lets it pass where a marker lies on top
    with pytest.raises(AnchorConflictError):
        anchors.newest(LOG)


def test_what_is_no_note_is_passed_over(buckets: Buckets, anchors: AnchorBucket, prefix: str) -> None:
    anchors.put(LOG, 7, b"note")
    for name in ("README", f"{1:020d}-{2:020d}.note", "7.note"):
        buckets.client.put_object(Bucket=buckets.anchors, Key=f"{prefix}{LOG}/{name}", Body=b"x")
    assert list(anchors.all(LOG)) == [(7, b"note")]


@pytest.mark.parametrize("stored", [False, True])
def test_an_answer_that_was_lost_is_settled_by_what_is_there(buckets: Buckets, prefix: str, stored: bool) -> None:
    client: Any = FaultyClient(buckets.client)
    client.faults.plan("put_object", LostAnswerError, stored=stored)
    anchors = AnchorBucket(client, buckets.anchors, prefix, ANCHOR_DAYS, CLOCK)
    if stored:
        anchors.put(LOG, 7, b"note")
        assert anchors.newest(LOG) == (7, b"note")
    else:
        with pytest.raises(UnavailableError):
            anchors.put(LOG, 7, b"note")
        assert anchors.newest(LOG) is None
        anchors.put(LOG, 7, b"note")


def test_a_bucket_that_is_not_there_is_away(buckets: Buckets) -> None:
    anchors = AnchorBucket(buckets.client, "no-such-bucket", "", ANCHOR_DAYS, CLOCK)
    for act in (lambda: anchors.put(LOG, 1, b"x"), lambda: anchors.newest(LOG), lambda: list(anchors.all(LOG))):
        with pytest.raises(UnavailableError, match="anchor bucket"):
            act()
