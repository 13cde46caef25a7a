"""Opening an installation: whatever is not whole is refused, with a sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service import wiring
from service.config import Settings
from service.errors import LedgerUnavailableError, MunimentError, NotInitialisedError, PolicyError, UnsafeError
from service.ledger import NO_LOG, Outcome
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


def test_folders_and_root_key_are_for_their_owner_alone(settings: Settings) -> None:
    folders = [folder(each) for each in (settings.blobs, settings.anchors, *settings.key_places)]
    for path in (settings.home, *folders, settings.home / "root.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def _drop(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write(settings: Settings, rules: str) -> None:
    (settings.policies / "policy.csv").write_text(rules)


BROKEN: dict[str, tuple[Callable[[Settings], None], type[MunimentError]]] = {
    "no root key": (lambda s: _drop(s.home / "root.key"), NotInitialisedError),
    "no blobs": (lambda s: _drop(folder(s.blobs)), UnsafeError),
    "no key place": (lambda s: _drop(folder(s.key_places[0])), UnsafeError),
    "no anchors": (lambda s: _drop(folder(s.anchors)), UnsafeError),
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
