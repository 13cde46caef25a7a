"""Run the bench: ``python -m tests.benchmarks [NAME ...] [--quick] [--out FILE]``; all rows unless some are named.

Writes bench.json (merged over an older one where only some rows ran) and, where the README has a place for it, the
table there. ``--quick`` measures next to nothing, to see that everything still runs; its figures mean nothing and are
written nowhere but to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.benchmarks import report
from tests.benchmarks.appending import append_group
from tests.benchmarks.budgets import BUDGETS
from tests.benchmarks.deciding import decision, decision_growth
from tests.benchmarks.differing import policy_diff
from tests.benchmarks.listing import list_page
from tests.benchmarks.places import Place, on_servers
from tests.benchmarks.rounds import Measured
from tests.benchmarks.sealing import MIB, open_tink, seal_esdk, seal_tink
from tests.benchmarks.serving import request
from tests.benchmarks.storing import download, erase, small_files, upload
from tests.benchmarks.verifying import verify
from tests.postgres import PostgresMissingError
from tests.seaweed import SeaweedMissingError

ROOT: Final = Path(__file__).parents[2]
KEPT: Final = ROOT / "var" / "bench"

Row = Callable[[Path, Path], Measured]  # given a folder that is kept between runs and one that is not

FULL: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "seal_esdk": lambda _kept, _new: seal_esdk(),
        "seal_tink": lambda _kept, _new: seal_tink(),
        "open_tink": lambda _kept, _new: open_tink(),
        "decision": lambda kept, _new: decision(kept),
        "decision_growth": lambda kept, _new: decision_growth(kept),
        "list": lambda kept, _new: list_page(kept),
        "policy_diff": lambda kept, _new: policy_diff(kept),
        "request": lambda _kept, new: request(new),
        "append_group": lambda _kept, new: append_group(new),
        "verify": lambda kept, _new: verify(kept),
        "upload": lambda _kept, new: upload(new),
        "download": lambda _kept, new: download(new),
        "small_files": lambda _kept, new: small_files(new),
        "erase": lambda _kept, new: erase(new),
    }
)
QUICK: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "seal_esdk": lambda _kept, _new: seal_esdk(4 * MIB),
        "seal_tink": lambda _kept, _new: seal_tink(4 * MIB),
        "open_tink": lambda _kept, _new: open_tink(4 * MIB),
        "decision": lambda kept, _new: decision(kept, engagements=2, documents=250, rounds=1),
        "decision_growth": lambda kept, _new: decision_growth(kept, engagements=2, documents=250, rounds=1),
        "list": lambda kept, _new: list_page(kept, engagements=2, documents=250, rounds=1),
        "policy_diff": lambda kept, _new: policy_diff(kept, engagements=2, documents=250, rounds=1),
        "request": lambda _kept, new: request(new, seconds=0.2, rounds=1),
        "append_group": lambda _kept, new: append_group(new, entries=256, rounds=1),
        "verify": lambda kept, _new: verify(kept, entries=1000, rounds=1),
        "upload": lambda _kept, new: upload(new, 20 * MIB, rounds=1),
        "download": lambda _kept, new: download(new, 20 * MIB, rounds=1),
        "small_files": lambda _kept, new: small_files(new, files=16, rounds=1),
        "erase": lambda _kept, new: erase(new, objects=20, rounds=1),
    }
)


# Rows that stand on a database or a store, once more on PostgreSQL and S3; given a new folder and that place.
# Among 100 k grants, not a million: worlds are kept for SQLite, and built anew there.
MANY: Final = (10, 2_500, 21)  # engagements, documents of each, rounds
FEW: Final = (2, 250, 1)
BESIDE: Final[Mapping[str, Callable[[Path, Place, bool], Measured]]] = MappingProxyType(
    {
        "decision": lambda new, place, quick: decision(new, *(FEW if quick else MANY), place),
        "decision_growth": lambda new, place, quick: decision_growth(new, *(FEW if quick else MANY), place),
        "list": lambda new, place, quick: list_page(new, *(FEW if quick else MANY), place),
        "request": lambda new, place, quick: request(new, 0.2, 1, place) if quick else request(new, place=place),
        "append_group": lambda new, place, quick: (
            append_group(new, 256, 1, place) if quick else append_group(new, place=place)
        ),
    }
)


def main(arguments: list[str]) -> int:
    """Run the rows and write what they said; 1 when one of them is short of its floor."""
    chosen = _parsed(arguments)
    names = chosen.names or [row.name for row in BUDGETS]
    logging.getLogger("service").setLevel(logging.ERROR)  # what SeaweedFS does not tell of its buckets, again and again
    results: dict[str, Measured] = {}
    print(report.HEADING, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch) if chosen.quick else KEPT
        for name in names:
            results[name] = _run((QUICK if chosen.quick else FULL)[name], kept)
            print(report.line(name, results[name]), flush=True)
        beside = _run_beside([name for name in names if name in BESIDE], quick=chosen.quick, scratch=Path(scratch))
    if chosen.out is not None or not chosen.quick:
        _write(chosen.out or ROOT / "bench.json", results)
    if not (chosen.quick or chosen.names):
        report.write_into(ROOT / "README.md", report.markdown(results, beside))
    kept_all = all(report.is_kept(row, results[row.name]) for row in BUDGETS if row.name in results)
    return 0 if kept_all or chosen.quick else 1


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure each budget beside its peer."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"rows: {', '.join(FULL)}; all unless some are named")
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean nothing")
    parser.add_argument("--out", type=Path, help="write the JSON here instead of bench.json")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(FULL):
        parser.error(f"there is no row {min(unknown)}")
    return chosen


def _run(row: Row, kept: Path) -> Measured:
    """Run one row in a fresh folder on the disk that the kept one is on."""
    kept.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=kept))
    try:
        return row(kept, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _run_beside(names: list[str], *, quick: bool, scratch: Path) -> dict[str, Measured]:
    """Run rows on the other stack, and print them without a mark; none where its servers are not to be had."""
    results: dict[str, Measured] = {}
    try:
        with on_servers() as place:
            for name in names:
                home = scratch / f"beside-{name}"
                home.mkdir()
                results[name] = BESIDE[name](home, place, quick)
                print(report.line_beside(name, results[name]), flush=True)
    except (PostgresMissingError, SeaweedMissingError) as missing:
        print(f"nothing on PostgreSQL and S3: {missing}", flush=True)
    return results


def _write(path: Path, results: Mapping[str, Measured]) -> None:
    older = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    merged = {**older, **json.loads(report.as_json(results))}
    ordered = {row.name: merged[row.name] for row in BUDGETS if row.name in merged}
    path.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
