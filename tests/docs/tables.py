"""The tables in docs/ that are made from the code: errors, settings, events.

``python -m tests.docs.tables`` writes them again; a test compares them. Each stands between two marks in its page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

from service import events
from service.config import Settings
from service.errors import all_errors

DOCS = Path(__file__).parent.parent.parent / "docs"
BEGIN, END = "<!-- made by tests/docs/tables.py -->", "<!-- end -->"


def errors() -> str:
    """Every error: its code, HTTP status, exit code and sentence."""
    importlib.import_module("service.app")  # so that every module has added its own
    rows = ["| code | status | exit | what it says |", "|---|---|---|---|"]
    seen = set()
    for error in all_errors():
        if error.code not in seen:
            seen.add(error.code)
            rows.append(f"| `{error.code}` | {error.status} | {error.exit_code} | {error.title}. {error.detail} |")
    return "\n".join(rows)


def settings() -> str:
    """Every setting: its variable, its default and what it is."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = {"": "–", ".": "–"}.get(str(default), str(default))
        if name == "policies":
            shown = "policies/ of this version"
        if isinstance(default, tuple):
            shown = ",".join(map(str, default)) or "–"
        rows.append(
            f"| `MUNIMENT_{name.upper()}` | {'–' if 'SecretStr' in repr(default) else shown} | {field.description} |"
        )
    return "\n".join(rows)


def event_types() -> str:
    """Every event type, and the remark beside it in the source."""
    source = inspect.getsource(events.EventType)
    remarks = {}
    for line in source.splitlines():
        code, _, remark = line.partition("#")
        if "=" in code and not remark.strip().startswith("noqa"):
            remarks[ast.literal_eval(code.partition("=")[2].strip())] = remark.strip()
    rows = ["| type | ends access | what |", "|---|---|---|"]
    for kind in events.EventType:
        ends = "yes" if kind in events.ENDS_ACCESS else ""
        rows.append(f"| `{kind.value}` | {ends} | {remarks.get(kind.value, '')} |")
    return "\n".join(rows)


PAGES: dict[str, Callable[[], str]] = {"errors.md": errors, "events.md": event_types, "settings.md": settings}


def made(page: str, table: str) -> str:
    """The page with its table in place."""
    text = (DOCS / page).read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(made(page, make()))
