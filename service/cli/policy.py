"""`muniment policy`: the policy as a table, whether it loads, and what another version would change.

Nothing is reinterpreted here: tables and differences are `service.scoping.table`, which asks Casbin.
"""

from __future__ import annotations

from enum import IntFlag
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record, print_table
from service.errors import PolicyError
from service.scoping.actions import Action, Fact, Role, words_of
from service.scoping.matrix import Matrix
from service.scoping.table import NEVER, OR, TABLE_COLUMNS, changes, entries, render

app = typer.Typer(no_args_is_help=True, help="The policy files: who may do what.")

DECISIONS = "decisions.csv"
Folder = Annotated[Path | None, typer.Argument(help="Folder of the policy files; the installation's unless said.")]


@app.command()
def check(folder: Folder = None) -> None:
    """Load the policy files as the service would, and compare decisions.csv with what they answer."""
    place = _folder(folder)
    matrix = Matrix.load(place)
    written = place / DECISIONS
    print_record({"epoch": matrix.epoch, "rules": len(matrix.rules), DECISIONS: _compared(written, render(matrix))})


@app.command()
def show(
    folder: Folder = None,
    role: Annotated[Role | None, typer.Option(help="Only this role.")] = None,
    action: Annotated[Action | None, typer.Option(help="Only this act.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every answer of the policy; what is refused whatever is true is left out of the table."""
    shown = [
        entry
        for entry in entries(Matrix.load(_folder(folder)))
        if role in {None, entry.role} and action in {None, entry.action} and (as_json or entry.when != NEVER)
    ]
    if as_json:
        print_json([entry._asdict() for entry in shown])
    else:
        print_table(TABLE_COLUMNS, shown)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the one version.")],
    after: Annotated[Path | None, typer.Argument(help="Folder of the other; the installation's unless said.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every answer that differs between two versions of the policy; exits with 1 when there is one."""
    found = [
        {
            "role": change.role.value,
            "action": change.action.value,
            "label": change.label,
            "sensitivity": change.sensitivity,
            "before": _ways(change.before),
            "after": _ways(change.after),
            "effect": " and ".join(word for word, true in (("gained", change.gained), ("lost", change.lost)) if true),
        }
        for change in changes(Matrix.load(before), Matrix.load(_folder(after)))
    ]
    _print_changes(found, as_json=as_json)
    if found:
        raise typer.Exit(1)


def _print_changes(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif found:
        print_table(list(found[0]), (list(row.values()) for row in found))
    else:
        print_table(["No answer differs."], [])


def _folder(folder: Path | None) -> Path:
    return folder or read_settings().policies


def _compared(path: Path, answers: str) -> str:
    """Compare a written table with the answers.

    Raises:
        PolicyError: it says something else.
    """
    if not path.exists():
        return "not there"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    if lines != answers.splitlines():
        raise PolicyError(f"{DECISIONS} is not what these files answer: see `muniment policy diff` and write it anew.")
    return "is what these files answer"


def _ways(ways: tuple[int, ...]) -> str:
    as_words: list[IntFlag] = [Fact(way) for way in sorted(ways)]
    return OR.join(" ".join(words_of(way)) or "always" for way in as_words) or NEVER
