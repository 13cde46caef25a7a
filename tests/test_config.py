"""Settings: where they come from, what they default to, what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.config import BucketLocation, KmsKeyName, Settings


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
    monkeypatch.setenv("MUNIMENT_KEY_PLACES", "/a/keys, s3://my-keys/eu/,")
    monkeypatch.setenv("MUNIMENT_ALLOWED_HOSTS", "room.example, other.example")
    monkeypatch.setenv("MUNIMENT_MAX_UPLOAD_BYTES", "77")
    found = Settings()
    assert found.key_places == (Path("/a/keys"), BucketLocation("my-keys", "eu/"))
    assert found.allowed_hosts == ("room.example", "other.example")
    assert (found.home, found.max_upload_bytes) == (Path("/srv/h"), 77)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key_places", tuple(Path(f"/k{n}") for n in range(4))),
        ("key_places", "/a,/b,/c,/d"),
        ("max_upload_bytes", 0),
        ("approval_days", 8),
        ("key_cache_s", 61),
        ("key_cache_s", -1),
        ("checkpoint_every_s", 61),
        ("checkpoint_every_entries", 1001),
        ("port", 70_000),
        ("backup_days", -1),
        ("blobs", "s3://"),
        ("blobs", "s3://UPPER"),
        ("blobs", "s3://b/../x y"),
        ("anchors", "s3:/bucket"),
        ("anchor_days", 0),
        ("s3_endpoint", "http://store.example"),
        ("kms_endpoint", "ftp://127.0.0.1"),
        ("s3_endpoint", "127.0.0.1:8333"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "proxy.example"),
        ("trusted_proxies", "10.0.0.1/8"),
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


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/srv/blobs", Path("/srv/blobs")),
        ("s3://documents", BucketLocation("documents")),
        ("s3://documents/", BucketLocation("documents")),
        ("s3://documents/firm/eu", BucketLocation("documents", "firm/eu/")),
    ],
)
def test_a_place_is_a_folder_or_in_a_bucket(
    monkeypatch: pytest.MonkeyPatch, text: str, place: Path | BucketLocation
) -> None:
    monkeypatch.setenv("MUNIMENT_BLOBS", text)
    found = Settings()
    assert found.blobs == place
    assert Settings(blobs=str(found.blobs)).blobs == place  # type: ignore[arg-type]  # as the environment gives it


def test_the_root_key_is_a_file_or_in_kms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_ROOT_KEY", "aws-kms:alias/muniment")
    assert Settings().root_key == KmsKeyName("alias/muniment")
    assert str(Settings().root_key) == "aws-kms:alias/muniment"


@pytest.mark.parametrize(
    "url", ["", "https://s3.example", "http://127.0.0.1:8333", "http://localhost:1", "http://[::1]:1"]
)
def test_a_store_is_reached_by_tls_or_on_this_machine(url: str) -> None:
    assert Settings(s3_endpoint=url).s3_endpoint == url


def test_no_proxy_is_trusted_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().trusted_proxies == ()
    monkeypatch.setenv("MUNIMENT_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    assert Settings().trusted_proxies == ("10.0.0.0/8", "2001:db8::1")
