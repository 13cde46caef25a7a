"""One sign-in at the terminal: the seat is chosen, kept, and said with each command."""

from __future__ import annotations

import json
import time
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from service.cli import seating
from service.cli.client import Client
from tests.cli.conftest import Run, Service

MOON = "Moon\x1b[2J & Sons"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sign-in is kept; no token is set."""
    monkeypatch.setenv("MUNIMENT_SIGNIN_FILE", str(tmp_path / "signin"))
    monkeypatch.delenv("MUNIMENT_TOKEN", raising=False)
    return tmp_path / "signin"


@pytest.fixture
def tokens(service: Service, tmp_path: Path) -> list[str]:
    """Files with a token each: the owner's, and that of an attorney of the same house."""
    url, text = service.machine.url, service.founded["owner_token"]
    owner = Client(url, text, trust_env=False)
    number = time.monotonic_ns()
    person = owner.ask("POST", "/api/v1/people", body={"email": f"t{number}@firm.example", "name": "Tom"}).json()
    member = owner.ask("POST", "/api/v1/members", body={"person_id": person["id"], "role": "attorney"}).json()
    owner.close()
    made = service.machine.run("token", "create", "--membership", member["id"])
    found = []
    for name, token in (("owner", text), ("attorney", made["items"][0]["token"])):
        (tmp_path / name).write_text(token)
        found.append(str(tmp_path / name))
    return found


def test_the_chosen_seat_acts_and_is_said_with_each_command(ask: Run, file: Path, tokens: list[str]) -> None:
    first = ask("seats", "start", "--token-file", tokens[0], "--json").json
    second = ask("seats", "add", "--token-file", tokens[1], "--json").json
    assert S_IMODE(file.stat().st_mode) == 0o600
    early = ask("me", "read")
    assert early.code != 0
    assert "muniment seats choose" in early.err
    listed = ask("seats", "list", "--json").json["seats"]
    assert {each["id"]: each["place"]["role"] for each in listed} == {
        first["seat"]: "owner",
        second["seat"]: "attorney",
    }
    for seat, role in ((first["seat"], "owner"), (second["seat"], "attorney")):
        chosen = ask("seats", "choose", seat, "--json")
        assert chosen.json["role"] == role
        read = ask("me", "read", "--json")
        assert read.json["membership"]["role"] == role
        assert read.err == f"At Harbor & Vale LLP, the whole house, as {role}.\n"
    kept = json.loads(file.read_text())
    for said in (ask("seats", "list"), ask("seats", "choose", first["seat"])):
        assert not any(secret in said.out + said.err for secret in (kept["signin"], kept["seat"]["token"]))
    assert ask("seats", "remove", first["seat"]).code == 0
    assert json.loads(file.read_text())["seat"] is None
    assert ask("seats", "stop").code == 0
    assert not file.exists()


def test_a_token_that_is_given_goes_before_the_seat(ask: Run, file: Path, tokens: list[str]) -> None:
    first = ask("seats", "start", "--token-file", tokens[0], "--json").json
    ask("seats", "choose", first["seat"])
    read = ask("me", "read", "--token-file", tokens[1], "--json")
    assert (read.json["membership"]["role"], read.err) == ("attorney", "")


def test_a_seat_whose_token_has_run_out_is_chosen_again(ask: Run, file: Path, tokens: list[str]) -> None:
    first = ask("seats", "start", "--token-file", tokens[0], "--json").json
    ask("seats", "choose", first["seat"])
    kept: Any = json.loads(file.read_text())
    kept["seat"] |= {"expires_at": "2020-01-01T00:00:00Z", "token": "mun_" + "A" * 64}
    file.write_text(json.dumps(kept))
    assert ask("me", "read", "--json").json["membership"]["role"] == "owner"
    assert json.loads(file.read_text())["seat"]["token"] != kept["seat"]["token"]


def test_without_a_file_or_with_another_file_it_says_what_to_do(
    ask: Run, file: Path, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "muniment seats start" in ask("seats", "list").err
    file.write_text("something else")
    assert "holds no sign-in" in ask("seats", "list").err
    file.write_text('{"signin": "x", "more": 1}')
    assert "holds no sign-in" in ask("me", "read").err
    monkeypatch.delenv("MUNIMENT_SIGNIN_FILE")
    refused = ask("seats", "start", "--token-file", tokens[0])
    assert "MUNIMENT_SIGNIN_FILE" in refused.err
    assert "mus_" not in refused.out


def test_a_firms_name_does_not_steer_the_terminal() -> None:
    said = seating.where({"firm_name": MOON, "engagement_number": "E-1", "role": "case_manager"})
    assert "\x1b" not in said
    assert said.endswith("engagement E-1, as case manager.")
    assert "redacted" in repr(seating.Kept("mus_x"))
