"""`muniment policy`: the policy as a table, whether it loads, and what another version would change.

Nothing is reinterpreted here: tables and differences are `service.scoping.table`, which asks Casbin; what a difference
means for people is counted from the lists that both versions compile to (`service.policy`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service import policy
from service.cli.failures import read_settings
from service.cli.output import AsJson, print_json, print_record, print_table
from service.cli.progress import counted
from service.errors import PolicyError
from service.scoping.actions import Action, Role
from service.scoping.comparing import Comparison
from service.scoping.inforce import under
from service.scoping.matrix import Matrix
from service.scoping.table import NEVER, TABLE_COLUMNS, Change, as_words, effect_of, entries, render, rules_changed
from service.wiring import open_installation

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
    engagement: Annotated[str | None, typer.Option(help="Under the overlay of this engagement here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every answer of the policy; what is refused whatever is true is left out of the table."""
    matrix = Matrix.load(_folder(folder))
    if engagement is not None:
        with open_installation(read_settings()) as services:
            matrix = under(matrix, policy.overlay_of(services, engagement))
    found = entries(matrix, [role] if role else tuple(Role), [action] if action else tuple(Action))
    shown = [entry for entry in found if as_json or entry.when != NEVER]
    if as_json:
        print_json([entry._asdict() for entry in shown])
    else:
        print_table(TABLE_COLUMNS, shown)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the one version.")],
    after: Annotated[Path | None, typer.Argument(help="Folder of the other; the installation's unless said.")] = None,
    people: Annotated[
        bool, typer.Option("--people", help="Count here, by person, the documents that would be gained and lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the rules and answers that differ between two versions of the policy; exits with 1 when an answer does."""
    old, new = Matrix.load(before), Matrix.load(_folder(after))
    comparison = Comparison(old, new)
    found = {
        "rules": [said._asdict() for said in rules_changed(old, new)],
        "answers": [_answer(change) for change in comparison.changes],
    }
    if people:
        found |= _people(comparison)
    if as_json:
        print_json(found)
    else:
        _print_found(found)
    if comparison.changes:
        raise typer.Exit(1)


def _answer(change: Change) -> dict[str, Any]:
    return {
        "role": change.role.value,
        "action": change.action.value,
        "label": change.label,
        "sensitivity": change.sensitivity,
        "before": as_words(change.before),
        "after": as_words(change.after),
        "effect": effect_of(change),
    }


def _people(comparison: Comparison) -> dict[str, list[dict[str, Any]]]:
    """Count the documents gained and lost on this installation: by role and act, and by person."""
    with open_installation(read_settings()) as services, counted("comparing") as watch:
        shifts = policy.people_changed(services, comparison, watch)
    rows = [{"firm": firm_id, **shift._asdict()} for firm_id, found in shifts.items() for shift in found]
    return {"roles": _by_role(rows), "people": rows}


def _by_role(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """People and documents of each firm, role and act, added up; a document counts once for each who has it."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["firm"], row["role"], row["action"]), []).append(row)
    return [
        {
            "firm": firm,
            "role": role,
            "action": action,
            "people": len({row["person_id"] for row in group}),
            "gained": sum(row["gained"] for row in group),
            "lost": sum(row["lost"] for row in group),
        }
        for (firm, role, action), group in sorted(groups.items())
    ]


_SAME = {
    "rules": "No rule differs.",
    "answers": "No answer differs.",
    "roles": "Nobody here would gain or lose a document.",
}


def _print_found(found: dict[str, list[dict[str, Any]]]) -> None:
    for title, rows in found.items():
        if rows:
            print_table(list(rows[0]), (list(row.values()) for row in rows), title=title)
        elif title in _SAME:
            print_table([_SAME[title]], [])


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
