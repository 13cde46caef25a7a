"""The service with the rights of one duty: what `terraform/` gives to web, disposer and signer is enough for each.

Every request to S3 is compared with tests/terraform/rights.csv, the table that the roles themselves are compared with;
what the duty may not is refused as S3 would. What a role may in truth is AWS's to say: see tests/terraform.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service import checkpoints, disposal, doctor, wiring
from service.aws import s3_client
from service.errors import UnavailableError
from tests import terraform
from tests.buckets import Buckets
from tests.disposal.ending import LETTER, Ending, an_ending
from tests.seaweed import REGION
from tests.world import DAY_S, World, a_world, findings

_RIGHTS = Path(terraform.__file__).with_name("rights.csv")
_ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "DeleteObjects": "DeleteObject",
}
_OF_OBJECTS = (
    "PutObject",
    "GetObject",
    "GetObjectVersion",
    "DeleteObject",
    "AbortMultipartUpload",
    "ListMultipartUploadParts",
)
_DENIED: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
_PARTS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


class Duty:
    """Whose rights the service has: ``service`` may all that any duty may."""

    def __init__(self, buckets: Buckets) -> None:
        self.name = "service"
        self.refused: list[tuple[str, str]] = []  # (action, resource)
        self._kinds = {buckets.documents: "documents", buckets.keys: "keys-1", buckets.anchors: "anchors"}
        with _RIGHTS.open(encoding="utf-8") as file:
            self._rights = {(row["action"], row["resource"], row["how"]): row for row in csv.DictReader(file)}

    def check(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Refuse a request that the duty may not make, as S3 does."""
        if model.name == "GetBucketAcl":
            return  # asked of a server that is not AWS's own
        action = _ACTIONS.get(model.name, model.name)
        if model.name == "GetObject" and "VersionId" in params:
            action = "GetObjectVersion"
        kind, how = self._kinds[params["Bucket"]], ""
        if action == "PutObject":
            how = "part" if model.name in _PARTS else "once" if "IfNoneMatch" in params else "over"
        resource = f"{kind}/object" if action in _OF_OBJECTS else kind
        if self._right(action, resource, how) != "yes":
            self.refused.append((action, resource))
            raise ClientError(_DENIED, model.name)

    def _right(self, action: str, resource: str, how: str) -> str:
        """What the table says; a question of a bucket's settings is there for one bucket, and is the same for all."""
        rows = [self._rights.get((f"s3:{action}", each, how)) for each in (resource, "documents", "keys-1")]
        return next(row for row in rows if row is not None)[self.name]


@pytest.fixture
def duty(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Duty:
    """The rights of every client that an installation makes from here on."""
    made = Duty(buckets)

    def client(**how: Any) -> Any:
        client = s3_client(**how)
        client.meta.events.register("provide-client-params.s3", made.check)
        return client

    monkeypatch.setattr(wiring, "s3_client", client)
    return made


@pytest.fixture
async def ending(duty: Duty, buckets: Buckets, tmp_path: Path, migrated_postgres_url: str) -> AsyncIterator[Ending]:
    """An engagement on PostgreSQL and S3, furnished with every right."""
    prefix = buckets.prefix()
    settings = {
        "blobs": f"s3://{buckets.documents}/{prefix}",
        "anchors": f"s3://{buckets.anchors}/{prefix}",
        "key_places": f"s3://{buckets.keys}/{prefix}",
        "s3_endpoint": buckets.endpoint,
        "aws_region": REGION,
    }
    assert duty.name == "service"
    async with a_world(tmp_path / "home", migrated_postgres_url, **settings) as world:
        yield await an_ending(world)


async def test_web_serves_all_that_people_do_and_deletes_nothing(ending: Ending, duty: Duty) -> None:
    duty.name = "web"
    engagement, attorney, seat = ending.engagement, ending.attorney, ending.seat
    paper = await engagement.document(b"large paper" * 900_000)
    await engagement.grant(seat, paper["document_id"])
    assert len(await seat.get(f"/documents/{paper['document_id']}/content")) == 9_900_000
    assert await attorney.get(f"/documents/{ending.letter['document_id']}/content") == LETTER
    another = await ending.world.engagement()  # with keys of its own
    await another.document()
    assert duty.refused == []


async def test_what_web_must_leave_lies_unreachable_until_the_disposer_collects_it(ending: Ending, duty: Duty) -> None:
    world = ending.world
    engagement, seat = ending.engagement, ending.seat
    await engagement.ask(seat)
    form = await seat.upload(engagement.id, engagement.part_id, b"the wrong form", label="intake_form")
    duty.name = "web"
    path = f"/documents/{form['document_id']}"
    await seat.change("DELETE", path, status=204)
    assert set(duty.refused) == {("DeleteObject", "documents/object")}
    await seat.get(f"{path}/content", status=404)
    duty.name = "disposer"
    await _repaired(world)
    assert await _doctor(world) == []


async def test_a_disposal_that_web_let_run_is_finished_by_the_disposer(ending: Ending, duty: Duty) -> None:
    duty.name = "web"
    await ending.returned()
    await ending.run(status=503)
    assert await disposal.resume_all(ending.world.services) != {ending.disposal["id"]: None}
    assert not ending.certificates()
    assert set(duty.refused) == {("PutObject", "anchors/object")}  # no tombstone, so no key dies
    duty.name, duty.refused = "disposer", []
    assert await disposal.resume_all(ending.world.services) == {ending.disposal["id"]: None}
    assert len(ending.certificates()) == 1
    assert duty.refused == []
    assert await disposal.resume_all(ending.world.services) == {}
    assert await _doctor(ending.world) == []


async def test_heads_that_web_signed_are_anchored_by_the_signer(ending: Ending, duty: Duty) -> None:
    services, firm_id = ending.world.services, ending.world.firm_id
    before = await checkpoints.sign_all(services)
    duty.name = "web"
    await ending.engagement.document()
    with pytest.raises(UnavailableError):
        await checkpoints.sign_all(services)
    assert duty.refused == [("PutObject", "anchors/object")]
    duty.name, duty.refused = "signer", []
    after = await checkpoints.sign_all(services)
    assert after[firm_id] > before[firm_id]
    name = checkpoints.anchor_name(f"muniment/{firm_id}")
    anchored = services.anchors.newest(name)
    assert anchored is not None
    assert anchored[0] == after[firm_id]
    assert duty.refused == []


async def _repaired(world: World) -> None:
    world.sleep(2 * DAY_S)
    await doctor.repair(world.services)


async def _doctor(world: World) -> list[str]:
    return [each.code for each in await findings(world.services)]
