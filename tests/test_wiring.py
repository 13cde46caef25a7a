"""Opening an installation: whatever is not whole is refused, with a sentence that says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service import doctor, wiring
from service.config import Settings
from service.errors import LedgerUnavailableError, MunimentError, NotInitialisedError, PolicyError, UnsafeError
from service.ledger import NO_LOG, Outcome
from tests.buckets import Buckets
from tests.stacks import Stack
from tests.world import folder


@pytest.fixture
def settings(tmp_path: Path, migrated_url: str) -> Settings:
    """An installation that was prepared."""
    policies = tmp_path / "policies"
    shutil.copytree(Settings().policies, policies, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    made = Settings(home=tmp_path / "var", database_url=migrated_url, policies=policies)
    wiring.prepare(made)
    return made


def test_it_opens_and_closes_in_good_order(settings: Settings) -> None:
    with wiring.open_installation(settings) as services:
        assert services.ledger.run(NO_LOG, lambda _tx, _moment: Outcome(7)).result == 7
    with pytest.raises(LedgerUnavailableError):
        services.ledger.run(NO_LOG, lambda _tx, _moment: Outcome(7))


def test_preparing_again_changes_nothing_that_is_there(settings: Settings) -> None:
    before = (settings.home / "root.key").read_bytes()
    wiring.prepare(settings)
    assert (settings.home / "root.key").read_bytes() == before


def test_preparing_again_does_not_take_an_empty_folder_for_the_anchors(settings: Settings) -> None:
    for spoil in (_empty, _drop):
        spoil(folder(settings.anchors))
        wiring.prepare(settings)
        with pytest.raises(UnsafeError), wiring.open_installation(settings):
            pass


def test_folders_and_root_key_are_for_their_owner_alone(settings: Settings) -> None:
    folders = [folder(each) for each in (settings.blobs, settings.anchors, *settings.key_places)]
    for path in (settings.home, *folders, settings.home / "root.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def _drop(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _empty(path: Path) -> None:
    _drop(path)
    path.mkdir()


def _write(settings: Settings, rules: str) -> None:
    (settings.policies / "policy.csv").write_text(rules)


BROKEN: dict[str, tuple[Callable[[Settings], None], type[MunimentError]]] = {
    "no root key": (lambda s: _drop(s.home / "root.key"), NotInitialisedError),
    "no blobs": (lambda s: _drop(folder(s.blobs)), UnsafeError),
    "no key place": (lambda s: _drop(folder(s.key_places[0])), UnsafeError),
    "no anchors": (lambda s: _drop(folder(s.anchors)), UnsafeError),
    "an empty folder in the place of the anchors": (lambda s: _empty(folder(s.anchors)), UnsafeError),
    "a root key that others can read": (lambda s: os.chmod(s.home / "root.key", 0o644), UnsafeError),  # noqa: PTH101
    "no policy": (lambda s: _drop(s.policies), PolicyError),
    "a policy with zero rules": (lambda s: _write(s, "role,action,label,sensitivity,facts,effect\n"), PolicyError),
    "a policy with an unknown word": (
        lambda s: _write(s, (s.policies / "policy.csv").read_text() + "nobody,document:view,*,routine,live,allow\n"),
        PolicyError,
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_not_whole_is_refused_and_says_what_to_do(settings: Settings, what: str) -> None:
    spoil, error = BROKEN[what]
    spoil(settings)
    with pytest.raises(error) as found, wiring.open_installation(settings):
        pass
    assert found.value.message.endswith(".")
    assert "Traceback" not in found.value.message


def test_the_ledger_does_not_run_where_the_opening_was_refused(settings: Settings) -> None:
    _drop(folder(settings.anchors))
    before = set(threading.enumerate())  # ledgers of worlds that other tests share
    with pytest.raises(UnsafeError), wiring.open_installation(settings):
        pass
    assert not {thread for thread in threading.enumerate() if thread.name == "ledger"} - before


def on_s3(home: Path, stack: Stack, buckets: Buckets, **changes: str) -> Settings:
    """The settings of a stack, with other buckets."""
    if not stack.settings:
        pytest.skip("folders have no buckets")
    given: dict[str, Any] = {"home": home, "database_url": stack.url, **stack.settings, **changes}
    return Settings(**given)


def test_an_installation_on_buckets_opens_and_tells_its_doubts(tmp_path: Path, stack: Stack, buckets: Buckets) -> None:
    settings = on_s3(tmp_path / "var", stack, buckets)
    wiring.prepare(settings)
    with wiring.open_installation(settings) as services:
        found = [each for each in asyncio.run(doctor.examine(services)) if each.code == "bucket_untold"]
        assert len(services.doubts) == len(found) == 6
        assert all(each.severity is doctor.Severity.WARNING for each in found)


def test_a_bucket_that_locks_takes_no_documents(tmp_path: Path, stack: Stack, buckets: Buckets) -> None:
    settings = on_s3(tmp_path / "var", stack, buckets, blobs=f"s3://{buckets.anchors}/documents")
    with pytest.raises(UnsafeError, match="locks objects"):
        wiring.prepare(settings)


def test_a_bucket_that_was_not_prepared_or_was_made_anew_is_refused(
    tmp_path: Path, stack: Stack, buckets: Buckets
) -> None:
    settings = on_s3(tmp_path / "var", stack, buckets)
    wiring.prepare(settings)
    elsewhere = on_s3(tmp_path / "var", stack, buckets, blobs=f"s3://{buckets.documents}/{buckets.prefix()}")
    with pytest.raises(UnsafeError, match="mark"), wiring.open_installation(elsewhere):
        pass


def test_keys_share_no_bucket_with_what_they_open(tmp_path: Path, stack: Stack, buckets: Buckets) -> None:
    settings = on_s3(tmp_path / "var", stack, buckets, key_places=f"s3://{buckets.documents}/keys")
    with pytest.raises(UnsafeError):
        wiring.prepare(settings)


def test_a_file_that_no_bucket_can_hold_is_not_promised(tmp_path: Path, stack: Stack, buckets: Buckets) -> None:
    settings = on_s3(tmp_path / "var", stack, buckets, max_upload_bytes=str(2**40))
    with pytest.raises(UnsafeError, match="MAX_UPLOAD_BYTES"):
        wiring.prepare(settings)
