"""What commands print: tables for people, JSON for programs.

Rules kept here: text from rows is printed as text, never as markup, and without control characters, so that nothing
stored can steer a terminal; JSON goes to stdout alone, so that it can be piped.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
_TURNING: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: object) -> None:
    """Print a value as JSON, readable and in its own order."""
    written = json.dumps(value, indent=2, ensure_ascii=False)
    # Escaped it is the same JSON; as it is, a stored mark could steer the terminal or turn the order of what is read.
    sys.stdout.write("".join(f"\\u{ord(sign):04x}" if _steers(sign) else sign for sign in written) + "\n")


def print_record(record: Mapping[str, Any]) -> None:
    """Print one thing: a line for each of its members."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in record.items():
        table.add_row(_text(name), _text(value))
    _console().print(table)


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print things of one kind: a column for each member that any of them has."""
    if not rows:
        _console().print("Nothing here.")
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    print_table(columns, ([row.get(name) for name in columns] for row in rows))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        table.add_column(_text(name), overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row))
    _console().print(table)


def print_answer(value: Any, *, as_json: bool) -> None:
    """Print what the API answered: a page of things, one thing, or text."""
    if as_json:
        print_json(value)
    elif isinstance(value, Mapping) and isinstance(value.get("items"), list):
        print_rows([item if isinstance(item, Mapping) else {"item": item} for item in value["items"]])
        if value.get("next_cursor"):
            _console().print("There is more: add --all, or --cursor " + value["next_cursor"], markup=False)
    elif isinstance(value, Mapping):
        print_record(value)
    else:
        _console().print(Text(harmless(str(value).rstrip("\n"))), soft_wrap=True)


def _text(value: Any) -> Text:
    if value is None:
        return Text("–")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return Text(harmless(", ".join(str(item) for item in value)))
    return Text(harmless(json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)))


def harmless(text: str) -> str:
    """Replace what could steer a terminal or turn the order of what is read: control and direction marks."""
    return "".join(REPLACED if _steers(sign) else sign for sign in text)


def _steers(sign: str) -> bool:
    return sign != "\n" and (unicodedata.category(sign) == "Cc" or unicodedata.bidirectional(sign) in _TURNING)


def _console() -> Console:
    # Where nobody looks (a pipe, a file) a line is as long as it must be: half an id is of no use.
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=400)
