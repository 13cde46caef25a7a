"""Settings: where they come from, what they default to, what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.config import Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415  # only to clear it

    for name in list(os.environ):
        if name.startswith("MUNIMENT_"):
            monkeypatch.delenv(name)


def test_everything_lies_in_the_home_folder_unless_said() -> None:
    found = Settings(home=Path("/srv/m"))
    assert found.database_url == "sqlite:////srv/m/muniment.db"
    assert (found.blobs, found.anchors, found.root_key) == (
        Path("/srv/m/blobs"),
        Path("/srv/m/anchors"),
        Path("/srv/m/root.key"),
    )
    assert found.key_places == (Path("/srv/m/keys"),)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_HOME", "/srv/h")
    monkeypatch.setenv("MUNIMENT_KEY_PLACES", "/a/keys: /b/keys:")
    monkeypatch.setenv("MUNIMENT_ALLOWED_HOSTS", "room.example, other.example")
    monkeypatch.setenv("MUNIMENT_MAX_UPLOAD_BYTES", "77")
    found = Settings()
    assert found.key_places == (Path("/a/keys"), Path("/b/keys"))
    assert found.allowed_hosts == ("room.example", "other.example")
    assert (found.home, found.max_upload_bytes) == (Path("/srv/h"), 77)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key_places", tuple(Path(f"/k{n}") for n in range(4))),
        ("key_places", "/a:/b:/c:/d"),
        ("max_upload_bytes", 0),
        ("approval_days", 8),
        ("key_cache_s", 61),
        ("key_cache_s", -1),
        ("checkpoint_every_s", 61),
        ("checkpoint_every_entries", 1001),
        ("port", 70_000),
        ("backup_days", -1),
        ("no_such_setting", 1),
    ],
)
def test_what_would_loosen_a_promise_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings(**{name: value})  # type: ignore[arg-type]  # that is what is tried


def test_settings_do_not_change_while_it_runs() -> None:
    found = Settings()
    with pytest.raises(ValidationError):
        found.port = 1


def test_a_token_in_the_settings_is_not_shown() -> None:
    assert "canary" not in repr(Settings(token="mun_canary"))  # type: ignore[arg-type]  # as the environment gives it
