from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, Service


def test_what_the_verifier_says_is_passed_on(run: Run, tmp_path: Path) -> None:
    nothing = tmp_path / "no.zip"
    nothing.write_bytes(b"no bundle")
    assert run("audit", "verify", str(nothing)).code == 2
    assert run("audit", "show", str(nothing)).code == 2
    assert run("audit", "verify", "--help").code == 0
    assert run("audit", "verify").code == 2


def test_a_checkpoint_is_printed_as_it_was_signed(ask: Run, service: Service) -> None:
    note = ask("audit", "checkpoint").out
    assert note.startswith(f"muniment/{service.founded['firm']}\n")
    assert "\n\n— " in note


def test_who_may_not_export_gets_no_file(ask: Run, tmp_path: Path) -> None:
    refused = ask(
        "audit", "export", "--output", str(tmp_path / "log.zip")
    )  # an owner runs the house, and audits nobody
    assert refused.code == 3
    assert not (tmp_path / "log.zip").exists()
