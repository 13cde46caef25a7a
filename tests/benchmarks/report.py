"""What a run says: a table on the terminal, bench.json, and the table in the README."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.benchmarks.budgets import Budget, budget
from tests.benchmarks.rounds import Measured

BEGIN: Final = "<!-- bench -->"
END: Final = "<!-- /bench -->"


def is_kept(row: Budget, measured: Measured) -> bool:
    """Say whether a row reaches its floor and stays below its memory limit."""
    fits = row.rss_mib is None or measured.rss_mib is None or measured.rss_mib <= row.rss_mib
    return measured.ratio >= row.floor and fits


def as_json(results: Mapping[str, Measured]) -> str:
    """Return the text of bench.json."""
    shown = {
        name: {
            "ours": _rounded(one.ours),
            "peer": _rounded(one.peer),
            "unit": one.unit,
            "ratio": _rounded(one.ratio),
            "rss_mib": None if one.rss_mib is None else round(one.rss_mib, 1),
        }
        for name, one in results.items()
    }
    return json.dumps(shown, indent=2) + "\n"


def line(name: str, one: Measured) -> str:
    """Return one row for the terminal."""
    row = budget(name)
    mark = "ok" if is_kept(row, one) else "SHORT"
    memory = "" if one.rss_mib is None else f"  +{one.rss_mib:.0f} MiB"
    figures = f"{_short(one.ours):>9} {_short(one.peer):>9}  {one.unit:<10}"
    return f"{name:<16} {figures} {one.ratio:6.2f}  (at least {row.floor:g})  {mark}{memory}"


def line_beside(name: str, one: Measured) -> str:
    """Return one row of the other stack for the terminal: no floor, no mark."""
    return f"{name:<16} {_short(one.ours):>9} {_short(one.peer):>9}  {one.unit:<10} {one.ratio:6.2f}  {BESIDE}"


BESIDE: Final = "on PostgreSQL and S3"
HEADING: Final = f"{'row':<16} {'ours':>9} {'peer':>9}  {'unit':<10} {'ratio':>6}"


def markdown(results: Mapping[str, Measured], beside: Mapping[str, Measured]) -> str:
    """Return the README's table, between its markers; with what was measured on the other stack below it."""
    lines = [BEGIN, "| row | ours; beside it | ours | peer | ratio | at least | |", "|---|---|---|---|---|---|---|"]
    for name, one in results.items():
        row = budget(name)
        memory = "" if one.rss_mib is None else f" (+{one.rss_mib:.0f} MiB)"
        figures = f"{_short(one.ours)}{memory} | {_short(one.peer)} {one.unit} | {one.ratio:.2f} | {row.floor:g}"
        lines.append(
            f"| `{name}` | {row.ours}; {row.peer} | {figures} | {'ok' if is_kept(row, one) else '**short**'} |"
        )
    told = [
        f"`{n}` {_short(one.ours)} beside {_short(one.peer)} {one.unit}, {one.ratio:.2f}" for n, one in beside.items()
    ]
    if told:
        lines += ["", f"The same {BESIDE} (SeaweedFS), all on this machine, among 100 k grants: {'; '.join(told)}."]
    return "\n".join([*lines, END])


def write_into(path: Path, table: str) -> bool:
    """Replace the table between the markers of a file; say whether it has markers."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return False
    path.write_text(before + table + after, encoding="utf-8")
    return True


def _rounded(figure: float) -> float:
    return float(f"{figure:.4g}")


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"  # digits beyond three are noise
