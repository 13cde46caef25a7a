from __future__ import annotations

import pytest

from tests.cli.conftest import Run, Service


@pytest.fixture
def membership(service: Service) -> str:
    return service.founded["owner_membership"]


def test_a_made_token_works_and_is_never_shown_again(
    ask: Run, membership: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ask("token", "create", "--membership", membership, "--json").json["items"][0]
    listed = ask("token", "list", "--json")
    assert made["token_id"] in listed.out
    assert made["token"] not in listed.out
    monkeypatch.setenv("MUNIMENT_TOKEN", made["token"])
    assert ask("me", "read", "--json").json["token"]["id"] == made["token_id"]


def test_several_memberships_get_a_token_each(ask: Run, membership: str) -> None:
    made = ask("token", "create", "--membership", membership, "--membership", membership, "--json").json["items"]
    assert len({item["token"] for item in made}) == 2
    assert {item["membership"] for item in made} == {membership}


def test_a_revoked_token_opens_nothing(ask: Run, membership: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ask("token", "create", "--membership", membership, "--json").json["items"][0]
    assert ask("token", "revoke", made["token_id"]).code == 0
    assert ask("token", "revoke", made["token_id"]).code == 0  # a second time changes nothing
    assert {
        item["state"] for item in ask("token", "list", "--json").json["items"] if item["id"] == made["token_id"]
    } == {"revoked"}
    monkeypatch.setenv("MUNIMENT_TOKEN", made["token"])
    refused = ask("me", "read")
    assert refused.code == 3
    assert made["token"] not in refused.err + refused.out


def test_making_and_revoking_stand_in_the_log_with_the_actor_cli(ask: Run, membership: str) -> None:
    made = ask("token", "create", "--membership", membership, "--scopes", "me audit", "--json").json["items"][0]
    ask("token", "revoke", made["token_id"])
    ask("token", "revoke", made["token_id"])
    entries = ask("audit", "entries", "--limit", "1000", "--json").json["items"]
    about = [entry for entry in entries if entry.get("subjects", {}).get("token") == made["token_id"]]
    assert [(entry["type"], entry["actor"]) for entry in about] == [
        ("token.created", {"system": "cli"}),
        ("token.revoked", {"system": "cli"}),
    ]
    assert about[0]["data"]["scopes"] == ["audit", "me"]


def test_a_narrow_token_is_refused_what_it_was_not_made_for(
    ask: Run, membership: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ask("token", "create", "--membership", membership, "--scopes", "me", "--json").json["items"][0]
    monkeypatch.setenv("MUNIMENT_TOKEN", made["token"])
    assert ask("me", "read").code == 0
    refused = ask("people", "list")
    assert refused.code == 3
    assert "fewer things" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--membership", "mem_" + "0" * 32), 5),
        (("create", "--membership", "no id"), 5),
        (("revoke", "tok_" + "0" * 32), 5),
        (("create", "--membership", "MINE", "--scopes", "everything"), 4),
        (("create", "--membership", "MINE", "--scopes", " "), 4),
        (("create", "--membership", "MINE", "--days", "0"), 2),
    ],
)
def test_what_cannot_be_is_refused(ask: Run, membership: str, arguments: tuple[str, ...], code: int) -> None:
    refused = ask("token", *(membership if word == "MINE" else word for word in arguments))
    assert (refused.code, refused.out) == (code, "")
    assert "Traceback" not in refused.err
