from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from service import disposal
from service.errors import EXIT_UNSAFE, MunimentError, UnavailableError
from tests.cli.conftest import Run
from tests.migrated import owner_of

FOUND = ("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example", "--json")


def files_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_init_prints_the_owners_token_and_the_verifier_key_and_keeps_no_token(run: Run, tmp_path: Path) -> None:
    founded = run(*FOUND).json
    assert founded["owner_token"].startswith("mun_")
    assert founded["verifier_key"].startswith(f"muniment/{founded['firm']}+")
    stored = files_of(tmp_path / "home")
    for secret in (founded["owner_token"], "Harbor & Vale", "ruth@harborvale.example"):
        assert secret.encode() not in stored


def test_init_as_a_table_says_that_the_token_is_not_shown_again(run: Run) -> None:
    printed = run(*FOUND[:-1])
    assert printed.code == 0
    assert "mun_" in printed.out
    assert "not shown again" in printed.out


def test_a_second_firm_is_not_founded_by_accident(run: Run) -> None:
    first = run(*FOUND).json
    again = run(*FOUND)
    assert (again.code, again.out) == (6, "")
    assert "--another" in again.err
    assert run(*FOUND, "--another").json["firm"] != first["firm"]


@pytest.mark.parametrize(
    "wrong", [("--zone", "Middle/Earth"), ("--owner", "nobody"), ("--firm", "a\x1b[31mb"), ("--firm", "")]
)
def test_what_cannot_be_a_firm_is_refused_and_founds_nothing(run: Run, wrong: tuple[str, str]) -> None:
    refused = run(*FOUND, *wrong)
    assert refused.code == 4
    assert "Traceback" not in refused.err
    assert wrong[1] not in refused.err or not wrong[1]
    assert run(*FOUND).code == 0


def test_doctor_says_that_a_new_installation_is_whole(run: Run) -> None:
    run(*FOUND)
    assert run("doctor", "--json").json == {"items": []}
    healthy = run("doctor")
    assert (healthy.code, healthy.err) == (0, "")


def test_doctor_before_init_says_what_to_do(run: Run) -> None:
    found = run("doctor")
    assert found.code == 8
    assert "muniment init" in found.err


@pytest.mark.parametrize("folder", ["keys", "blobs", "anchors"])
def test_doctor_says_what_is_wrong_where_nothing_can_be_opened(run: Run, tmp_path: Path, folder: str) -> None:
    run(*FOUND)
    shutil.rmtree(tmp_path / "home" / folder)
    found = run("doctor", "--json")
    assert found.code == 8
    assert [item["severity"] for item in found.json["items"]] == ["broken"]


def test_doctor_says_that_the_anchors_volume_is_not_mounted(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    (tmp_path / "home" / "anchors").rename(tmp_path / "volume")
    (tmp_path / "home" / "anchors").mkdir()
    found = run("doctor")
    assert found.code == 8
    assert "anchor folder has lost its mark" in " ".join(found.err.split())
    (tmp_path / "home" / "anchors").rmdir()
    (tmp_path / "volume").rename(tmp_path / "home" / "anchors")
    assert run("doctor").code == 0


def test_doctor_finds_a_key_that_is_gone(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    next((tmp_path / "home" / "keys").glob("key_*")).unlink()
    found = run("doctor", "--json")
    assert found.code == 8
    assert [item["code"] for item in found.json["items"]] == ["key_missing"]


def test_doctor_says_what_it_would_repair_and_repairs_it_when_told_to(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    stray = tmp_path / "home" / "keys" / f"key_{'0' * 32}.key"
    shutil.copyfile(next((tmp_path / "home" / "keys").glob("key_*")), stray)
    stray.chmod(0o600)
    assert [item["code"] for item in run("doctor", "--json").json["items"]] == ["key_without_owner"]
    planned = run("doctor", "--repair", "--json").json
    assert (planned["done"], [item["repair"] for item in planned["items"]]) == (False, ["repair.keys_destroyed"])
    assert "--yes" in run("doctor", "--repair").out
    assert stray.exists()
    assert run("doctor", "--repair", "--yes", "--json").json["done"] is True
    assert not stray.exists()
    assert "nothing to repair" in run("doctor", "--repair", "--yes").out


def test_doctor_repairs_nothing_where_something_is_broken(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    next((tmp_path / "home" / "keys").glob("key_*")).unlink()
    assert run("doctor", "--repair", "--yes").code == 8


def test_doctor_blocks_and_says_what_it_suspended(run: Run, tmp_path: Path) -> None:
    founded = run(*FOUND).json
    with contextlib.closing(sqlite3.connect(tmp_path / "home" / "muniment.db")) as database:
        kept = "firm_id, person_id, side, starts_at, ends_at, created_at"
        copy = (
            f"INSERT INTO memberships (id, role, suspended, version, {kept}) "  # noqa: S608  # words of this line
            f"SELECT 'mem_forged', 'attorney', 0, 1, {kept} FROM memberships"
        )
        database.execute(copy)
        database.commit()
    blocked = run("doctor", "--block", "--json")
    assert blocked.code == 8
    assert blocked.json["suspended"] == ["mem_forged"]
    assert [item["code"] for item in blocked.json["items"]] == ["membership_forged"]
    assert founded["owner_membership"] not in blocked.out


def test_migrate_goes_back_and_forth(run: Run, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL the tables' owner migrates, and the service's own role does the rest."""
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", migrated_url)
    assert run(*FOUND).code == 0
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", owner_of(migrated_url))
    assert "empty" in run("migrate", "--to", "base").out
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", migrated_url)
    behind = run("doctor")
    assert behind.code == 8
    assert "muniment migrate" in behind.err
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", owner_of(migrated_url))
    assert run("migrate").code == 0
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", migrated_url)
    assert run("doctor").code == 0


def test_on_postgres_a_firm_is_founded_only_in_a_database_that_its_owner_migrated(
    run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", postgres_url)
    early = run(*FOUND)
    assert early.code == 8
    assert "muniment migrate" in early.err
    assert run("migrate").code == 0
    owning = run(*FOUND)
    assert owning.code == 8
    assert "owns the tables" in owning.err


def test_a_database_across_a_network_needs_verified_tls(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_DATABASE_URL", "postgresql+psycopg://app:sesame@db.example/muniment")
    for command in (("migrate",), FOUND, ("doctor",)):
        refused = run(*command)
        assert refused.code == 8
        assert "sslmode=verify-full" in refused.err
        assert "sesame" not in refused.err + refused.out


def test_migrate_to_a_revision_that_is_not_there_is_refused(run: Run) -> None:
    run(*FOUND)
    refused = run("migrate", "--to", "9999")
    assert refused.code == 8
    assert "Traceback" not in refused.err
    assert run("doctor").code == 0


def test_a_setting_that_cannot_be_used_is_named_but_not_repeated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNIMENT_PORT", "sesame")
    refused = run("doctor")
    assert refused.code == 8
    assert "MUNIMENT_PORT" in refused.err
    assert "sesame" not in refused.err


def test_sign_anchors_every_head_at_once(run: Run, tmp_path: Path) -> None:
    firm = run(*FOUND).json["firm"]
    signed = run("sign", "--json")
    (head,) = [each for each in signed.json["items"] if each["log"] == firm]
    assert head["size"] > 0
    assert firm in run("sign").out
    assert list((tmp_path / "home" / "anchors" / firm).rglob(f"*{head['size']}.note"))


def test_dispose_says_that_nothing_is_under_way(run: Run) -> None:
    run(*FOUND)
    assert run("dispose", "--json").json == {"items": []}
    assert "nothing to finish" in run("dispose").out


def test_dispose_names_what_it_finished_and_what_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resumed(_: object) -> dict[str, MunimentError | None]:
        return {"dsp_1": None, "dsp_2": UnavailableError("The anchors cannot be written.")}

    run(*FOUND)
    monkeypatch.setattr(disposal, "resume_all", resumed)
    said = run("dispose", "--json")
    assert said.code == EXIT_UNSAFE
    assert [(each["disposal"], each["state"]) for each in said.json["items"]] == [
        ("dsp_1", "certified"),
        ("dsp_2", "stopped"),
    ]
    assert "The anchors cannot be written." in run("dispose").out
