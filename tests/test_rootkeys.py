from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service import rootkeys, wiring
from service.config import KmsKeyName, Settings
from service.crypto.kms import LocalRootKey
from service.crypto.kms_aws import KmsRootKey
from service.crypto.roots import ChangingRoot
from service.errors import BadInputError, NotInitialisedError, RootKeyError, UnsafeError
from tests.fakes.kms import FakeKms, running_kms, use_any_credentials
from tests.world import a_world

REGION = "us-east-1"


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    use_any_credentials(monkeypatch)
    with running_kms() as running:
        yield running


def with_kms(kms: FakeKms, named: str, **more: str) -> dict[str, str]:
    return {"root_key": f"aws-kms:{named}", "aws_region": REGION, "kms_endpoint": kms.endpoint, **more}


def test_a_setting_names_a_file_or_a_key_in_kms(tmp_path: Path, kms: FakeKms) -> None:
    LocalRootKey.create(tmp_path / "root.key")
    assert isinstance(rootkeys.open_root(Settings(home=tmp_path)), LocalRootKey)
    key = kms.create_key(alias="alias/muniment")
    for named in (key.id, key.arn, "alias/muniment"):
        root = rootkeys.open_root(Settings.model_validate({"home": tmp_path, **with_kms(kms, named)}))
        assert isinstance(root, KmsRootKey)
        root.check()
        assert key.arn in root.describe()


def test_a_missing_file_is_no_installation(tmp_path: Path) -> None:
    with pytest.raises(NotInitialisedError):
        rootkeys.open_root(Settings(home=tmp_path))


def test_two_names_are_a_rotation_and_must_name_two_keys(tmp_path: Path) -> None:
    for name in ("root.key", "old.key"):
        LocalRootKey.create(tmp_path / name)
    both = rootkeys.open_root(Settings(home=tmp_path, root_key_old=str(tmp_path / "old.key")))
    assert isinstance(both, ChangingRoot)
    with pytest.raises(UnsafeError, match="the same root key"):
        rootkeys.open_root(Settings(home=tmp_path, root_key_old=str(tmp_path / "root.key")))


def test_a_root_key_in_kms_is_not_made_here() -> None:
    with pytest.raises(BadInputError):
        rootkeys.make("aws-kms:alias/muniment")


async def test_an_installation_lives_on_a_root_key_in_kms_and_stands_still_without_it(
    tmp_path: Path, migrated_sqlite_url: str, kms: FakeKms
) -> None:
    """Disabled: 503 before a byte is taken, nothing is fallen back to; enabled again: all is as before."""
    key = kms.create_key()
    async with a_world(tmp_path / "var", migrated_sqlite_url, **with_kms(kms, key.arn)) as world:
        assert not (tmp_path / "var" / "root.key").exists()
        engagement = await world.engagement()
        document = await engagement.document(b"a paper")
        path = f"/documents/{document['document_id']}/content"
        for state in ("Disabled", "PendingDeletion"):
            key.state = state
            for key_id in world.services.keys.all_ids():
                world.services.keys.forget(key_id)
            assert (await engagement.attorney.get(path, status=503))["code"] == "root_key_unavailable"
            blobs = [info async for info in world.services.blobs.list()]
            refused = await engagement.attorney.upload(engagement.id, engagement.part_id, b"another", status=503)
            assert refused["code"] == "root_key_unavailable"
            assert [info async for info in world.services.blobs.list()] == blobs
        key.state = "Enabled"
        assert await engagement.attorney.get(path) == b"a paper"


async def test_a_server_does_not_start_on_a_root_key_that_is_not_fit_or_not_its_own(
    tmp_path: Path, migrated_sqlite_url: str, kms: FakeKms
) -> None:
    key, foreign = kms.create_key(), kms.create_key()
    async with a_world(tmp_path / "var", migrated_sqlite_url, **with_kms(kms, key.arn)) as world:
        settings = world.services.settings
    key.state = "Disabled"
    with pytest.raises(UnsafeError, match="not enabled"), wiring.open_installation(settings, serving=True):
        pass
    key.state = "Enabled"
    key.denied.add("Decrypt")
    with pytest.raises(RootKeyError, match="denies"), wiring.open_installation(settings, serving=True):
        pass
    changed = settings.model_copy(update={"root_key": KmsKeyName(foreign.arn)})
    with pytest.raises(UnsafeError, match="does not open"), wiring.open_installation(changed, serving=True):
        pass
