"""The settings, and the only reader of the environment.

Every setting is ``MUNIMENT_<NAME>``; limits carry their unit in the name. `Settings` is frozen: what runs was decided
at its start. docs/settings.md lists them all, and a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024
GIB = 1024 * MIB


class Settings(BaseSettings):
    """What an installation is made of; the defaults are one machine with everything in one folder."""

    model_config = SettingsConfigDict(env_prefix="MUNIMENT_", frozen=True, extra="forbid")

    home: Path = Field(default=Path("var"), description="Folder of an embedded installation.")
    database_url: str = Field(default="", description="Database; SQLite in the home folder where it is left out.")
    blobs: Path = Field(default=Path(), description="Folder of sealed contents; `blobs` in the home folder by default.")
    key_places: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="One to three folders for key objects, separated by `:`; `keys` in the home folder by default.",
    )
    root_key: Path = Field(
        default=Path(), description="File of the root key, mode 0600; `root.key` in the home folder."
    )
    anchors: Path = Field(
        default=Path(), description="Folder of checkpoints written once; `anchors` in the home folder."
    )
    policies: Path = Field(
        default=Path(__file__).parent.parent / "policies", description="Folder of the policy files that decide."
    )

    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8420, ge=0, le=65535, description="Port that `serve` listens on; 0 takes any free one.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="Host names that requests may carry, separated by `,`.",
    )

    url: str = Field(
        default="http://127.0.0.1:8420", description="Service that the commands of the API's nouns talk to."
    )
    token: SecretStr = Field(default=SecretStr(""), description="Bearer token that those commands carry.")
    token_file: Path = Field(
        default=Path(), description="File that holds the bearer token, where `MUNIMENT_TOKEN` is not set."
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
    key_cache_s: int = Field(default=60, ge=1, le=60, description="How long an opened key may be kept.")
    backup_days: int = Field(
        default=0, ge=0, description="Declared life of any other copy of the key places; the certificate adds it."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name, mark in (("key_places", ":"), ("allowed_hosts", ",")):
            text = values.get(name)
            if isinstance(text, str):
                values[name] = tuple(piece.strip() for piece in text.split(mark) if piece.strip())
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
