"""Bundles as they are written: streams, in one form, with nothing held and nothing made up."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audit.bundle import (
    VERIFY_TEXT,
    Export,
    OpenedPayload,
    engagement_bundle,
    log_bundle,
    write_engagement_bundle,
    write_log_bundle,
)
from audit.checkpoint import parse
from audit.entry import decode
from audit.errors import BundleError, CheckpointError, EntryError, PayloadError, ProofError, StoreError, UnusableError
from audit.policy import FILES
from audit.store import MemoryLeafStore
from tests.audit.logs import ENGAGEMENTS, EPOCH, LOG, ORIGIN, POLICY, START_MS, LogMaker, members, saved


@pytest.fixture(scope="module")
def made() -> LogMaker:
    return LogMaker(3).grow(60)


def test_a_log_bundle_holds_the_entries_as_they_were_written(made: LogMaker) -> None:
    contents = members(made.log_bundle())
    assert list(contents) == [
        "VERIFY.txt",
        "checkpoint",
        f"policy/{EPOCH}.json",
        "entries.jsonl",
        "leaves",
        "payloads.jsonl",
        "manifest.json",
    ]
    assert contents["entries.jsonl"] == b"".join(body + b"\n" for body in made.bodies())
    assert contents["leaves"] == b"".join(made.store.leaf_hashes(0, 60))
    assert contents["checkpoint"] == made.checkpoint()
    assert contents["manifest.json"].decode() == (
        f'{{"counts":{{"entries":60,"payloads":{len(made.payloads)},"policies":1}},"kind":"log","log":"{LOG}",'
        f'"made_at":{START_MS},"origin":"{ORIGIN}","size":60,"v":1}}'
    )


def test_an_engagement_bundle_holds_that_engagements_entries(made: LogMaker) -> None:
    contents = members(made.engagement_bundle(ENGAGEMENTS[1]))
    assert list(contents)[-4:] == ["entries.jsonl", "proofs.jsonl", "payloads.jsonl", "manifest.json"]
    entries = [decode(text) for text in contents["entries.jsonl"].splitlines()]
    assert [entry.eseq for entry in entries] == list(range(len(entries)))
    assert len(contents["proofs.jsonl"].splitlines()) == len(entries)


def test_written_and_streamed_bundles_are_the_same_bytes(made: LogMaker) -> None:
    out = io.BytesIO()
    write_log_bundle(out, made.export())
    assert out.getvalue() == made.log_bundle() == b"".join(log_bundle(made.export()))
    bodies = [body for body in made.bodies() if (decode(body).subjects or {}).get("engagement") == ENGAGEMENTS[0]]
    out = io.BytesIO()
    write_engagement_bundle(out, made.export(payloads=()), ENGAGEMENTS[0], bodies)
    assert out.getvalue() == made.engagement_bundle(ENGAGEMENTS[0], payloads=())


def test_entries_are_read_in_pages_and_payloads_after_them(made: LogMaker) -> None:
    asked: list[str] = []

    class Watched(MemoryLeafStore):
        def entries(self, start: int, stop: int) -> Iterator[bytes]:
            asked.append(f"entries {start}-{stop}")
            return made.store.entries(start, stop)

        def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
            asked.append(f"leaves {start}-{stop}")
            return list(made.store.leaf_hashes(start, stop))

    def payloads() -> Iterator[OpenedPayload]:
        asked.append("payloads")
        yield from made.export().payloads

    stream = log_bundle(made.export(store=Watched(), payloads=payloads()))
    assert asked == []
    assert b"".join(stream) == made.log_bundle()
    assert asked == ["entries 0-60", "leaves 0-60", "payloads"]


def test_a_changed_row_is_exported_as_it_is(made: LogMaker) -> None:
    class Changed(MemoryLeafStore):
        def entries(self, start: int, stop: int) -> Iterator[bytes]:
            return iter([b"forged"] * (stop - start))

        def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
            return list(made.store.leaf_hashes(start, stop))

    contents = members(made.log_bundle(store=Changed()))
    assert contents["entries.jsonl"] == b"forged\n" * 60
    assert contents["leaves"] == b"".join(made.store.leaf_hashes(0, 60))


def test_what_cannot_be_exported_is_refused(made: LogMaker) -> None:
    export = made.export()
    opened = OpenedPayload(1, bytes(32), b"{}")
    with pytest.raises(CheckpointError):
        list(log_bundle(replace(export, checkpoint=b"none")))
    with pytest.raises(CheckpointError):
        list(engagement_bundle(replace(export, checkpoint=b"none"), "eng_1", []))
    with pytest.raises(StoreError):
        list(log_bundle(replace(export, store=MemoryLeafStore())))
    with pytest.raises(UnusableError):
        list(log_bundle(replace(export, policies=[{}])))
    with pytest.raises(BundleError):
        list(log_bundle(replace(export, policies=[dict.fromkeys(FILES, b"%d" % number) for number in range(65)])))
    for wrong in (
        [opened, opened],
        [replace(opened, salt=b"")],
        [replace(opened, payload=bytes(65_537))],
        [replace(opened, payload=b"\xff")],
    ):
        with pytest.raises(PayloadError):
            list(log_bundle(replace(export, payloads=wrong)))
    with pytest.raises(EntryError):
        list(engagement_bundle(export, "eng_1", [b"{}"]))
    with pytest.raises(ProofError):
        list(engagement_bundle(replace(export, checkpoint=made.checkpoint(5)), "eng_1", made.bodies()[5:6]))


def test_the_note_in_the_bundle_checks_a_log_with_python_alone(made: LogMaker, tmp_path: Path) -> None:
    path = saved(tmp_path, made.log_bundle())
    program = textwrap.dedent(
        "\n".join(re.findall(r"^    (?:import|def|peaks|with|    |root|while|print).*$", VERIFY_TEXT, re.MULTILINE))
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True)
    head = parse(made.checkpoint())
    assert done.stdout.split() == ["60", base64.b64encode(head.root).decode()]


def test_the_note_in_the_bundle_says_what_to_do(made: LogMaker) -> None:
    with zipfile.ZipFile(io.BytesIO(made.log_bundle())) as bundle:
        text = bundle.read("VERIFY.txt").decode()
    assert text == VERIFY_TEXT
    assert "python -m audit verify THIS_FILE --key KEY" in text
    assert max(map(len, text.splitlines())) <= 120


def test_an_export_takes_its_policies_in_any_order(made: LogMaker) -> None:
    others = [POLICY, POLICY | {"policy.csv": b"other"}]
    assert made.log_bundle(policies=others) == made.log_bundle(policies=[*others[::-1], POLICY])


def test_an_export_needs_no_payloads_and_no_policies(made: LogMaker) -> None:
    export = Export(store=made.store, log=LOG, checkpoint=made.checkpoint(), made_at=0)
    assert members(b"".join(log_bundle(export)))["payloads.jsonl"] == b""
