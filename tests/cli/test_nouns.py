from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from service.cli import nouns
from service.cli.description import RENAMED, describe, operations
from service.cli.root import build
from service.errors import StaleError
from tests.cli.conftest import Run, Service
from tests.world import DAY_S, rfc3339

BY_HAND = {"seats"}  # a sign-in goes from the service into a file, never onto the screen: tests/cli/test_seats.py


def words(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command of a tree, by the words that call it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return {path: command}
    return {key: value for name, child in inner.items() for key, value in words(child, (*path, name)).items()}


@pytest.fixture(scope="module")
def tree() -> dict[tuple[str, ...], Any]:
    return words(get_command(build([])))


def test_every_operation_of_the_api_is_a_command_and_says_the_same(tree: dict[tuple[str, ...], Any]) -> None:
    for operation in operations(describe()):
        command = tree[operation.group, operation.name]
        if operation.group in BY_HAND:
            continue
        assert command.help.partition("\n")[0] == operation.help.partition("\n")[0]
        offered = {parameter.name: parameter for parameter in command.params}
        assert {member.variable for member in operation.members} <= set(offered)
        for member in operation.members:
            assert offered[member.variable].required == (member.required and member.name != "Muniment-Title")


def test_every_command_has_help(tree: dict[tuple[str, ...], Any]) -> None:
    assert [name for name, command in tree.items() if not command.help] == []


def test_no_command_takes_a_token_as_an_option(tree: dict[tuple[str, ...], Any]) -> None:
    offered = {parameter.name for command in tree.values() for parameter in command.params}
    assert "token" in {parameter.name for parameter in tree["token", "revoke"].params}  # an id, not a text
    assert not {option for option in offered if "secret" in option or "password" in option}
    with_token = [name for name, command in tree.items() for p in command.params if p.name == "token"]
    assert with_token == [("token", "revoke")]


def test_every_read_offers_json(tree: dict[tuple[str, ...], Any]) -> None:
    for operation in operations(describe()):
        if operation.method == "GET" and not operation.is_contents:
            offered = {flag for parameter in tree[operation.group, operation.name].params for flag in parameter.opts}
            assert "--json" in offered


def test_the_names_that_are_not_derived_are_operations_of_the_api() -> None:
    ids = {described["operationId"] for item in describe()["paths"].values() for described in item.values()}
    assert set(RENAMED) <= ids


def test_two_operations_that_would_become_one_command_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [operations(describe())[0]] * 2
    monkeypatch.setattr(nouns, "operations", lambda _document: twice)
    with pytest.raises(ValueError, match="two commands"):
        nouns.add_to(typer.Typer(), {})


# Over HTTP ------------------------------------------------------------------------------------------------------------


def test_a_thing_is_made_read_and_listed_page_by_page(ask: Run) -> None:
    names = [f"Vendor {number}" for number in range(5)]
    made = [ask("vendors", "add", "--name", name, "--json").json for name in names]
    assert ask("vendors", "read", made[0]["id"], "--json").json == made[0]
    page = ask("vendors", "list", "--limit", "2", "--json").json
    assert len(page["items"]) == 2
    assert page["next_cursor"]
    everything = ask("vendors", "list", "--limit", "2", "--all", "--json").json
    assert {item["id"] for item in everything["items"]} >= {vendor["id"] for vendor in made}
    table = ask("vendors", "list", "--limit", "2")
    assert "--all" in table.out


def test_a_table_shows_every_member(ask: Run) -> None:
    vendor = ask("vendors", "add", "--name", "Northwind Legal Staffing", "--json").json
    shown = ask("vendors", "read", vendor["id"]).out
    for value in vendor.values():
        assert value in shown


def test_a_change_without_if_match_reads_first_and_one_with_an_old_tag_is_refused(ask: Run, seat: str) -> None:
    stale = ask("members", "suspend", seat, "--if-match", '"mem-0"')
    assert stale.code == 6
    assert ask("members", "suspend", seat, "--json").json["state"] == "suspended"
    assert ask("members", "resume", seat, "--json").json["state"] == "running"


def test_an_answer_without_a_body_is_said(ask: Run, service: Service) -> None:
    token = ask("token", "create", "--membership", service.founded["owner_membership"], "--json").json["items"][0]
    assert ask("tokens", "revoke", token["token_id"]).out.strip() == "Done."


def test_what_is_not_there_is_exit_5_one_sentence_and_no_stack(ask: Run) -> None:
    refused = ask("vendors", "read", "vnd_" + "0" * 32)
    assert (refused.code, refused.out) == (5, "")
    assert refused.err.startswith("Not found: ")
    assert "Traceback" not in refused.err


def test_an_id_cannot_lead_elsewhere(ask: Run) -> None:
    assert ask("vendors", "read", "../people").code == 5
    assert ask("vendors", "read", "x?limit=1#y").code == 5


def test_a_field_of_the_wrong_form_is_named(ask: Run) -> None:
    refused = ask("people", "add", "--email", "x", "--name", "Somebody")
    assert refused.code == 4
    assert "email" in refused.err


def test_without_a_token_nothing_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_URL", "http://127.0.0.1:9")
    refused = run("vendors", "list")
    assert refused.code == 3
    assert "--token-file" in refused.err


def test_a_service_that_is_not_there_is_exit_7(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MUNIMENT_TOKEN", "mun_x")
    refused = run("vendors", "list")
    assert refused.code == 7
    assert "muniment serve" in refused.err
    assert "mun_x" not in refused.err


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_exit_4(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MUNIMENT_URL", url)
    monkeypatch.setenv("MUNIMENT_TOKEN", "mun_x")
    refused = run("vendors", "list")
    assert refused.code == 4
    assert "MUNIMENT_URL" in refused.err


def test_a_token_file_comes_before_the_environment(
    ask: Run, service: Service, tmp_path: Path, monkeypatch: Any
) -> None:
    file = tmp_path / "token"
    file.write_text(service.founded["owner_token"] + "\n", encoding="utf-8")
    monkeypatch.setenv("MUNIMENT_TOKEN", "mun_" + "A" * 64)
    assert ask("me", "read").code == 3
    assert ask("me", "read", "--token-file", str(file)).code == 0
    monkeypatch.delenv("MUNIMENT_TOKEN")
    monkeypatch.setenv("MUNIMENT_TOKEN_FILE", str(file))
    assert ask("me", "read").code == 0


def test_a_token_file_that_is_none_sends_nothing(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("mun_a\nInjected: header", encoding="utf-8")
    assert ask("me", "read", "--token-file", str(file)).code == 3
    assert ask("me", "read", "--token-file", str(tmp_path / "absent")).code == 1


# Papers ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def seat(world: dict[str, str]) -> str:
    return world["seat"]


@pytest.fixture
def attorney(ask: Run, world: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MUNIMENT_TOKEN", world["token"])
    return ask


def add(attorney: Run, world: dict[str, str], file: Path, *more: str) -> Any:
    where = ("--part-id", world["part"], "--label", "exhibit", "--sensitivity", "routine", "--file", str(file))
    return attorney("documents", "add", world["engagement"], *where, *more, "--json")


@pytest.mark.parametrize("name", ["Letter.pdf", "Überweisung 100 %.txt", "naïve — “draft”.docx"])
def test_a_file_goes_in_and_comes_back_under_its_name(
    attorney: Run, world: dict[str, str], tmp_path: Path, name: str
) -> None:
    file, back = tmp_path / name, tmp_path / "back"
    file.write_bytes(b"exhibit\r\n" * 1000)
    receipt = add(attorney, world, file).json
    assert attorney("documents", "read", receipt["document_id"], "--json").json["title"] == name
    assert attorney("documents", "read-content", receipt["document_id"], "--output", str(back)).code == 0
    assert back.read_bytes() == file.read_bytes()
    assert stat.S_IMODE(back.stat().st_mode) == 0o600


def test_a_title_that_was_given_stands_for_the_file_name(attorney: Run, world: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "scan0001.txt"
    file.write_bytes(b"x")
    receipt = add(attorney, world, file, "--title", "Affidavit of service").json
    assert attorney("documents", "read", receipt["document_id"], "--json").json["title"] == "Affidavit of service"


def test_a_content_is_replaced_under_the_title_that_it_has(
    attorney: Run, world: dict[str, str], tmp_path: Path
) -> None:
    file, other, back = tmp_path / "draft.txt", tmp_path / "final.txt", tmp_path / "back"
    file.write_bytes(b"draft")
    other.write_bytes(b"final")
    document = add(attorney, world, file).json["document_id"]
    replaced = attorney("documents", "replace-content", document, "--file", str(other), "--json").json
    assert attorney("documents", "read-content", document, "--output", str(back)).code == 0
    assert back.read_bytes() == b"final"
    card = attorney("documents", "read", document, "--json").json
    assert (card["title"], card["revision_id"]) == ("draft.txt", replaced["revision_id"])
    stale = attorney("documents", "replace-content", document, "--file", str(file), "--if-match", '"x"')
    assert stale.code == StaleError.exit_code


def test_the_same_idempotency_key_gives_the_same_document(attorney: Run, world: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "once.txt"
    file.write_bytes(b"once")
    first, again = (add(attorney, world, file, "--idempotency-key", "k-1").json for _ in range(2))
    assert first["document_id"] == again["document_id"]


def test_what_is_refused_leaves_no_file(attorney: Run, tmp_path: Path) -> None:
    refused = attorney("documents", "read-content", "doc_" + "0" * 32, "--output", str(tmp_path / "back"))
    assert refused.code == 5
    assert list(tmp_path.glob("*back*")) == []


def test_a_file_that_is_not_there_is_said_without_a_stack(attorney: Run, world: dict[str, str], tmp_path: Path) -> None:
    refused = add(attorney, world, tmp_path / "absent.pdf")
    assert refused.code == 1
    assert "Traceback" not in refused.err


def test_a_long_text_is_read_from_a_file_byte_for_byte(attorney: Run, world: dict[str, str], tmp_path: Path) -> None:
    text = tmp_path / "nda.txt"
    text.write_bytes("I keep it to myself – always.\n\nSigned below.\n".encode())
    made = attorney("agreements", "create", world["engagement"], "--kind", "nda", "--text", f"@{text}", "--json").json
    assert made["text"].encode() == text.read_bytes()
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    assert attorney("agreements", "publish", made["id"], "--text", f"@{binary}").code == 4


def test_a_list_of_things_that_is_not_json_is_refused(attorney: Run) -> None:
    said = ("--waiver", "All kept.", "--only-copies", "{not json")
    refused = attorney("disposals", "confirm-return", "dsp_" + "0" * 32, *said)
    assert refused.code == 4
    assert "--only-copies" in refused.err


def test_a_word_that_is_none_is_refused_before_anything_is_sent(attorney: Run, world: dict[str, str]) -> None:
    refused = attorney("documents", "list", world["engagement"], "--label", "gossip")
    assert refused.code == 2


def test_many_are_shared_after_a_dry_run_that_shows_them_and_undone_as_a_whole(
    attorney: Run, world: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "exhibit.txt"
    file.write_bytes(b"x")
    paper = add(attorney, world, file, "--title", "Exhibit of May").json["document_id"]
    until = ("--not-after", attorney("engagements", "read", world["engagement"], "--json").json["ends_at"])
    whom = ("--membership-id", world["seat"], "--part-id", world["part"])
    said = (*whom, *until, "--labels", "exhibit", "--abilities", "view", "--purpose", "Number them.")
    shown = attorney("grants", "share-many", world["engagement"], *said, "--dry-run")
    assert "Exhibit of May" in shown.out
    dry = attorney("grants", "share-many", world["engagement"], *said, "--dry-run", "--json").json
    assert paper in {each["document_id"] for each in dry["items"]}
    forgotten = attorney("grants", "share-many", world["engagement"], *said)
    assert forgotten.code == 4
    assert "dry run" in forgotten.err
    given = attorney("grants", "share-many", world["engagement"], *said, "--digest", dry["digest"], "--json").json
    assert given["count"] == dry["count"]
    again = attorney("grants", "share-many", world["engagement"], *said, "--digest", dry["digest"])
    assert again.code == 6
    assert "Make the dry run again" in again.err
    revoked = attorney("grants", "revoke-many", world["engagement"], "--labels", "exhibit", "--dry-run", "--json").json
    assert {each["bulk_id"] for each in revoked["items"]} == {given["bulk_id"]}
    undone = attorney("grants", "undo-bulk", given["bulk_id"], "--json").json
    assert (undone["count"], undone["opened"]) == (given["count"], 0)


def test_a_standing_share_is_made_listed_and_ended(attorney: Run, world: dict[str, str]) -> None:
    until = ("--not-after", rfc3339(int(time.time()) + 30 * DAY_S))
    said = ("--part-id", world["part"], "--role", "case_manager", "--labels", "exhibit", "--abilities", "view", *until)
    made = attorney("standing-shares", "create", world["engagement"], *said, "--purpose", "Calendar.", "--json").json
    listed = attorney("standing-shares", "list", world["engagement"], "--json").json
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert attorney("standing-shares", "end", made["id"], "--json").json["ended_at"] is not None
