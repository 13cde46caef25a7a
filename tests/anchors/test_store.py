"""The contract of anchors: the folder and the bucket both keep it.

The buckets are moto's (in the process; no claim about locks) and SeaweedFS's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from service.anchors.bucket import AnchorBucket
from service.anchors.folder import AnchorFolder
from service.anchors.store import MAX_NOTE_BYTES, AnchorConflictError, Anchors
from service.aws import s3_client
from service.errors import BadInputError, UnsafeError
from tests.buckets import ANCHOR_DAYS, Buckets
from tests.seaweed import REGION
from tests.world import Clock

LOG, OTHER = "frm_" + "1" * 32, "frm_" + "2" * 32
CLOCK = Clock(4_000_000_000_000)  # locks that end in the past are refused by the server's own clock


@pytest.fixture(params=["folder", "moto", "seaweed"])
def anchors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Anchors]:
    if request.param == "folder":
        yield AnchorFolder.create(tmp_path)
    elif request.param == "moto":
        with mock_aws():
            client = s3_client(region=REGION, endpoint="", connections=4)
            client.create_bucket(Bucket="anchors", ObjectLockEnabledForBucket=True)
            yield AnchorBucket(client, "anchors", "notes/", ANCHOR_DAYS, CLOCK)
    else:
        buckets: Buckets = request.getfixturevalue("buckets")
        yield AnchorBucket(buckets.client, buckets.anchors, buckets.prefix(), ANCHOR_DAYS, CLOCK)


def test_a_log_without_anchors_has_none(anchors: Anchors) -> None:
    assert anchors.newest(LOG) is None
    assert list(anchors.all(LOG)) == []


def test_the_newest_is_that_of_the_largest_size_of_this_log(anchors: Anchors) -> None:
    for size in (5, 100_000, 99_999, 20):
        anchors.put(LOG, size, b"note %d" % size)
    anchors.put(OTHER, 10**6, b"another log")
    assert anchors.newest(LOG) == (100_000, b"note 100000")
    assert [size for size, _ in anchors.all(LOG)] == [5, 20, 99_999, 100_000]
    assert list(anchors.all(OTHER)) == [(10**6, b"another log")]


def test_the_same_note_again_is_no_error_and_another_is_a_conflict_with_evidence(anchors: Anchors) -> None:
    anchors.put(LOG, 7, b"first")
    anchors.put(LOG, 7, b"first")
    with pytest.raises(AnchorConflictError) as caught:
        anchors.put(LOG, 7, b"second")
    assert isinstance(caught.value, UnsafeError)
    assert (caught.value.size, caught.value.kept, caught.value.offered) == (7, b"first", b"second")
    assert caught.value.extra == {"size": 7}
    assert anchors.newest(LOG) == (7, b"first")


# moto looks and writes in two steps: of two writers at once it may keep both.
@pytest.mark.parametrize("anchors", ["folder", "seaweed"], indirect=True)
def test_of_two_writers_of_one_size_one_is_kept(anchors: Anchors) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait()
        try:
            anchors.put(LOG, 1, b"note %d" % number)
            outcomes.append("kept")
        except AnchorConflictError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "refused", "refused", "refused"]


@pytest.mark.parametrize("log_id", ["", ".", "..", "../x", "a/b", "A", "x" * 65, "a\n", "a\0"])
def test_what_is_no_log_id_reaches_no_file(anchors: Anchors, log_id: str) -> None:
    for act in (
        lambda: anchors.put(log_id, 1, b"x"),
        lambda: anchors.newest(log_id),
        lambda: list(anchors.all(log_id)),
    ):
        with pytest.raises(BadInputError):
            act()


@pytest.mark.parametrize(("size", "note"), [(-1, b"x"), (2**63, b"x"), (1, b""), (1, bytes(MAX_NOTE_BYTES + 1))])
def test_what_is_no_checkpoint_is_refused(anchors: Anchors, size: int, note: bytes) -> None:
    with pytest.raises(BadInputError):
        anchors.put(LOG, size, note)
