"""The settings, and the only reader of the environment.

Every setting is ``MUNIMENT_<NAME>``; limits carry their unit in the name. `Settings` is frozen: what runs was decided
at its start. docs/settings.md lists them all, and a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024
GIB = 1024 * MIB
_BUCKET: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/((?:[A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+))?/?")
_KMS: Final = "aws-kms:"


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """A place in a bucket, written ``s3://bucket`` or ``s3://bucket/prefix``.

    Args:
        bucket: its name.
        prefix: what the keys begin with: empty, or ends in a slash.
    """

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True)
class KmsKeyName:
    """A root key in AWS KMS, written ``aws-kms:`` and its id, ARN or alias."""

    key_id: str

    def __str__(self) -> str:
        return _KMS + self.key_id


def _location(value: object) -> object:
    """Read a location as the environment gives it; what is one already passes."""
    if not isinstance(value, str) or not value.startswith("s3:"):
        return Path(value) if isinstance(value, str) else value
    found = _BUCKET.fullmatch(value)
    if found is None:
        msg = "a bucket is written s3://bucket or s3://bucket/prefix"
        raise ValueError(msg)
    return BucketLocation(found[1], f"{found[2]}/" if found[2] else "")


def _root_key(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(_KMS):
        return Path(value) if isinstance(value, str) else value
    return KmsKeyName(value.removeprefix(_KMS))


Location = Annotated[Path | BucketLocation, NoDecode, BeforeValidator(_location)]


class Settings(BaseSettings):
    """What an installation is made of; the defaults are one machine with everything in one folder."""

    model_config = SettingsConfigDict(env_prefix="MUNIMENT_", frozen=True, extra="forbid")

    home: Path = Field(default=Path("var"), description="Folder of an embedded installation.")
    database_url: str = Field(default="", description="Database; SQLite in the home folder where it is left out.")
    database_connections: int = Field(
        default=10, ge=1, le=1000, description="Most connections that reads share; the writer has one more."
    )
    blobs: Location = Field(
        default=Path(),
        description="Where sealed contents lie: a folder or `s3://bucket/prefix`; `blobs` in the home folder by "
        "default.",
    )
    key_places: Annotated[tuple[Location, ...], NoDecode] = Field(
        default=(),
        description="One to three places for key objects, each a folder or `s3://bucket/prefix`, separated by `,`; "
        "`keys` in the home folder by default.",
    )
    root_key: Annotated[Path | KmsKeyName, NoDecode, BeforeValidator(_root_key)] = Field(
        default=Path(),
        description="Root key: a file of mode 0600, or `aws-kms:` and a key's id, ARN or alias; `root.key` in the home "
        "folder by default.",
    )
    root_key_old: str = Field(
        default="", description="Root key that is rotated away, named alike: it still opens, and wraps nothing."
    )
    anchors: Location = Field(
        default=Path(),
        description="Where checkpoints lie, each written once: a folder or `s3://bucket/prefix`; `anchors` in the home "
        "folder by default.",
    )
    anchor_days: int = Field(
        default=2557, gt=0, description="How long a checkpoint in a bucket is locked; nobody can shorten it."
    )
    aws_region: str = Field(default="", description="AWS region; boto3's own chain finds one where it is left out.")
    s3_endpoint: str = Field(default="", description="URL of an S3 server that is not AWS's own.")
    kms_endpoint: str = Field(default="", description="URL of a KMS server that is not AWS's own.")
    policies: Path = Field(
        default=Path(__file__).parent.parent / "policies", description="Folder of the policy files that decide."
    )

    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8420, ge=0, le=65535, description="Port that `serve` listens on; 0 takes any free one.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="Host names that requests may carry, separated by `,`.",
    )

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses or networks of proxies in front, separated by `,`: of a connection from one of them, "
        "the client is the last other address that `X-Forwarded-For` names.",
    )

    url: str = Field(
        default="http://127.0.0.1:8420", description="Service that the commands of the API's nouns talk to."
    )
    token: SecretStr = Field(default=SecretStr(""), description="Bearer token that those commands carry.")
    token_file: Path = Field(
        default=Path(), description="File that holds the bearer token, where `MUNIMENT_TOKEN` is not set."
    )

    signin_file: Path = Field(
        default=Path(),
        description="File in which `muniment seats` keeps your sign-in and the seat that you chose; where no token is "
        "given, the commands act in that seat.",
    )

    max_upload_bytes: int = Field(default=10 * GIB, gt=0, description="Largest file that is accepted.")
    idle_s: int = Field(default=60, gt=0, description="How long a body may stand still, in either direction.")
    drain_s: int = Field(default=20, ge=0, description="How long running requests may go on when the service is ended.")
    max_open_uploads: int = Field(default=20, gt=0, description="Resumable uploads that one member may have open.")
    upload_expires_s: int = Field(
        default=86_400, gt=0, description="How long a resumable upload waits for its next piece."
    )
    max_json_bytes: int = Field(default=1 * MIB, gt=0, description="Largest JSON body that is accepted.")
    checkpoint_every_s: int = Field(default=60, gt=0, le=60, description="Longest time between two checkpoints.")
    checkpoint_every_entries: int = Field(
        default=1000, gt=0, le=1000, description="Most entries between two checkpoints."
    )
    failed_attempts_per_minute: int = Field(
        default=30, gt=0, description="Requests without a credential from one source."
    )
    approval_days: int = Field(default=7, gt=0, le=7, description="How long an approval of a disposal stands.")
    access_request_days: int = Field(
        default=7, gt=0, le=90, description="How long a member's request for access waits for an answer."
    )
    key_cache_s: int = Field(default=60, ge=1, le=60, description="How long an opened key may be kept.")
    backup_days: int = Field(
        default=0, ge=0, description="Declared life of any other copy of the key places; the certificate adds it."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _require_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no address: a name, or `*`, would let anybody say where he comes from."""
        for proxy in proxies:
            ip_network(proxy)
        return proxies

    @field_validator("s3_endpoint", "kms_endpoint")
    @classmethod
    def _require_tls(cls, url: str) -> str:
        """Refuse what would send sealed bytes and signatures in the clear to another machine."""
        parts = urlsplit(url)
        if url and parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            msg = "an endpoint begins with https://, or is on this machine"
            raise ValueError(msg)
        return url

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("key_places", "allowed_hosts", "trusted_proxies"):
            text = values.get(name)
            if isinstance(text, str):
                values[name] = tuple(piece.strip() for piece in text.split(",") if piece.strip())
        return values

    @model_validator(mode="after")
    def _fill_from_home(self) -> Settings:
        fill = {
            "database_url": self.database_url or f"sqlite:///{self.home / 'muniment.db'}",
            "blobs": self.home / "blobs" if self.blobs == Path() else self.blobs,
            "key_places": self.key_places or (self.home / "keys",),
            "root_key": self.home / "root.key" if self.root_key == Path() else self.root_key,
            "anchors": self.home / "anchors" if self.anchors == Path() else self.anchors,
        }
        for name, value in fill.items():
            object.__setattr__(self, name, value)  # the model is frozen to everybody else
        if len(self.key_places) > 3:  # noqa: PLR2004  # DESIGN of the key places: one to three
            msg = "MUNIMENT_KEY_PLACES names more than three places"
            raise ValueError(msg)
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
