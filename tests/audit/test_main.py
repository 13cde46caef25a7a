"""The command line: exit codes, what is printed, and nothing raw from a bundle on the auditor's terminal."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from audit.__main__ import FILE_BYTES, main
from audit.checkpoint import verify
from audit.entry import decode
from audit.merkle import leaf_hash, verify_inclusion
from audit.policy import FILES, to_json
from audit.report import CANNOT_SHOW, LAST_YEAR_MS, moment
from tests.audit.logs import ENGAGEMENTS, EPOCH, ORIGIN, POLICY, START_MS, VERIFIER_KEY, LogMaker, Rows, edited, saved


@pytest.fixture(scope="module")
def made() -> LogMaker:
    return LogMaker(5).grow(40)


@pytest.fixture
def bundle(made: LogMaker, tmp_path: Path) -> str:
    return str(saved(tmp_path, made.log_bundle()))


Captured = pytest.CaptureFixture[str]


def test_a_sound_bundle_ends_with_0_and_says_what_was_checked(bundle: str, capsys: Captured) -> None:
    assert main(["verify", bundle, "--key", VERIFIER_KEY]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"SOUND: log bundle of '{ORIGIN}', checkpoint of 40 entries\norigin established by")
    for word in ("checked:", "not checked:", "no bundle can show:", *CANNOT_SHOW):
        assert word in printed


def test_without_key_and_checkpoint_the_origin_is_not_established(bundle: str, capsys: Captured) -> None:
    assert main(["verify", bundle]) == 2
    assert capsys.readouterr().out.startswith("CONSISTENT IN ITSELF, ORIGIN NOT ESTABLISHED: ")


def test_a_broken_bundle_ends_with_1_and_names_the_entry(made: LogMaker, tmp_path: Path, capsys: Captured) -> None:
    rows = Rows.of(made)
    rows.bodies[7] = edited(rows.bodies[7], request="req_forged")
    assert main(["verify", str(saved(tmp_path, rows.bundle(made))), "--key", VERIFIER_KEY]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("BROKEN, first bad index 7: ")
    assert "req_forged" in printed
    assert "stored: " in printed


def test_a_bundle_that_is_none_ends_with_2(tmp_path: Path, capsys: Captured) -> None:
    assert main(["verify", str(saved(tmp_path, b"not a bundle"))]) == 2
    assert capsys.readouterr().out.startswith("UNUSABLE: ")


def test_wrong_arguments_end_with_2(capsys: Captured) -> None:
    for arguments in ([], ["verify"], ["burn", "x"], ["verify", "x", "--sure"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2


def test_keys_and_checkpoints_come_from_files(made: LogMaker, bundle: str, tmp_path: Path) -> None:
    key, older = tmp_path / "key.txt", tmp_path / "older"
    key.write_text(f"{VERIFIER_KEY}\n")
    older.write_bytes(made.checkpoint(9))
    assert main(["verify", bundle, "--key", str(key), "--checkpoint", str(older)]) == 0
    assert main(["verify", bundle, "--checkpoint", str(older)]) == 0
    assert main(["verify", bundle, "--checkpoint", str(tmp_path / "absent")]) == 2
    older.write_bytes(bytes(FILE_BYTES + 1))
    assert main(["verify", bundle, "--checkpoint", str(older)]) == 2
    key.write_bytes(b"\xff")
    assert main(["verify", bundle, "--key", str(key)]) == 2


def test_a_bundle_behind_the_kept_checkpoint_is_called_truncated(
    made: LogMaker, tmp_path: Path, capsys: Captured
) -> None:
    older = str(saved(tmp_path, made.log_bundle(checkpoint=made.checkpoint(9), payloads=())))
    newest = tmp_path / "newest"
    newest.write_bytes(made.checkpoint())
    assert main(["verify", older, "--key", VERIFIER_KEY, "--checkpoint", str(newest)]) == 1
    assert "truncated" in capsys.readouterr().out
    assert main(["verify", older, "--key", VERIFIER_KEY]) == 0
    assert "truncated" not in capsys.readouterr().out


def test_policies_come_from_a_folder_a_csv_or_json(bundle: str, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(POLICY[name])
    (tmp_path / "policy.json").write_bytes(to_json(POLICY) + b"\n")
    for given in (folder, folder / "policy.csv", tmp_path / "policy.json"):
        assert main(["verify", bundle, "--key", VERIFIER_KEY, "--policy", str(given)]) == 0
    (folder / "duties.csv").write_bytes(b"other")
    assert main(["verify", bundle, "--key", VERIFIER_KEY, "--policy", str(folder)]) == 1
    assert (
        main(
            [
                "verify",
                bundle,
                "--key",
                VERIFIER_KEY,
                "--policy",
                str(folder),
                "--policy",
                str(tmp_path / "policy.json"),
            ]
        )
        == 0
    )
    assert main(["verify", bundle, "--key", VERIFIER_KEY, "--policy", str(tmp_path)]) == 2


def as_json(capsys: Captured) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_reports_come_as_json(made: LogMaker, bundle: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["verify", bundle, "--key", VERIFIER_KEY, "--json"]) == 0
    found = as_json(capsys)
    assert (found["exit_code"], found["verdict"], found["entries"]) == (0, "sound", 40)
    assert found["policies"][EPOCH] == {"entries": 40, "first_index": 0}
    rows = Rows.of(made)
    del rows.bodies[7]
    assert main(["verify", str(saved(tmp_path, rows.bundle(made))), "--key", VERIFIER_KEY, "--json"]) == 1
    found = as_json(capsys)
    assert (found["exit_code"], found["verdict"], found["first_bad_index"]) == (1, "broken", 7)
    assert found["evidence"]["expected_index"] == 7


def test_show_prints_entries_and_payloads_without_verifying(made: LogMaker, bundle: str, capsys: Captured) -> None:
    assert main(["show", bundle]) == 0
    printed = capsys.readouterr().out
    assert "nothing is verified" in printed
    assert len(printed.splitlines()) == 2 + 40 + len(made.payloads)
    index = min(made.payloads)
    assert main(["show", bundle, "--index", str(index)]) == 0
    entry, payload = capsys.readouterr().out.splitlines()
    assert json.loads(entry.replace("\\\\", "\\").replace("\\xe9", "é"))["index"] == index
    assert payload.startswith(f"payload {index}: ")


def test_show_prints_what_is_no_entry_too(made: LogMaker, tmp_path: Path, capsys: Captured) -> None:
    rows = Rows.of(made)
    rows.bodies[3] = b'{"index":3,'
    path = str(saved(tmp_path, rows.bundle(made)))
    assert main(["show", path]) == 0
    assert '{"index":3,\n' in capsys.readouterr().out
    assert main(["show", path, "--index", "3"]) == 0
    assert '{"index":3,\n' not in capsys.readouterr().out


def test_nothing_raw_reaches_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    made = LogMaker(1)
    made.add(data={"note": "\x1b]0;owned\x07 \u202e é"}, payload=None)
    made.payloads.clear()
    path = str(saved(tmp_path, made.log_bundle()))
    for arguments in (["show", path], ["verify", path], ["proof", path, "0"]):
        main(arguments)
        printed = capsys.readouterr().out
        assert printed.isascii() or arguments[0] == "proof"  # a note has its dash, and has been parsed
        assert not any(each < " " for each in printed.replace("\n", ""))


def test_a_proof_is_printed_as_c2sp_writes_it_and_holds(
    made: LogMaker, bundle: str, tmp_path: Path, capsys: Captured
) -> None:
    one = str(saved(tmp_path, made.engagement_bundle(ENGAGEMENTS[0]), "one.zip"))
    index = next(
        at for at, body in enumerate(made.bodies()) if (decode(body).subjects or {}).get("engagement") == ENGAGEMENTS[0]
    )
    printed = []
    for path in (bundle, one):
        assert main(["proof", path, str(index)]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    head, _, note = printed[0].partition("\n\n")
    lines = head.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {index}"]
    checkpoint = verify(note.encode(), VERIFIER_KEY)
    verify_inclusion(
        leaf_hash(made.bodies()[index]), index, 40, [b64decode(each) for each in lines[2:]], checkpoint.root
    )


def test_there_is_no_proof_of_what_is_not_there(made: LogMaker, bundle: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["proof", bundle, "40"]) == 1
    one = str(saved(tmp_path, made.engagement_bundle(ENGAGEMENTS[0]), "one.zip"))
    assert main(["proof", one, "40"]) == 1
    assert "first bad index 40" in capsys.readouterr().out


def test_the_module_runs_as_a_program(bundle: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audit", "verify", bundle, "--key", VERIFIER_KEY],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_ends_with_the_answer(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["audit", "verify", bundle])
    monkeypatch.delitem(sys.modules, "audit.__main__")
    with pytest.raises(SystemExit) as end:
        runpy.run_module("audit", run_name="__main__")
    assert end.value.code == 2


def test_times_are_printed_in_utc_and_huge_ones_as_numbers() -> None:
    assert moment(START_MS) == "2026-01-01T00:00:00.000Z"
    assert moment(LAST_YEAR_MS - 1) == "9999-12-31T23:59:59.999Z"
    assert moment(LAST_YEAR_MS) == f"{LAST_YEAR_MS} ms"
    assert moment(None) == "never"
