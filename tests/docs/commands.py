"""The table of commands in README.md, made from what `--help` says.

``python -m tests.docs.commands`` writes it again; a test compares it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.main import get_command

from service.cli.root import LOCAL, build

README = Path(__file__).parent.parent.parent / "README.md"
BEGIN, END = "<!-- made by tests/docs/commands.py -->", "<!-- end -->"
BY_HAND = LOCAL | {"audit"}


def commands(command: Any = None, path: tuple[str, ...] = ()) -> dict[str, str]:
    """Every command by its words, with the first sentence of its help."""
    found = command or get_command(build([]))
    inner: dict[str, Any] = getattr(found, "commands", {})
    if not inner:
        return {" ".join(path): _sentence(found.help)}
    return {words: said for name, each in inner.items() for words, said in commands(each, (*path, name)).items()}


def table() -> str:
    """The commands of the machine one by one, those of each noun in one row."""
    everything = commands()
    rows = ["| `muniment …` | what |", "|---|---|"]
    rows += [f"| `{words}` | {said} |" for words, said in everything.items() if words.split()[0] in BY_HAND]
    nouns: dict[str, list[str]] = {}
    for words in everything:
        noun, _, act = words.partition(" ")
        if noun not in BY_HAND:
            nouns.setdefault(noun, []).append(f"`{act}`")
    return "\n".join([*rows, *(f"| `{noun}` … | {' '.join(acts)} |" for noun, acts in nouns.items())])


def with_table(text: str) -> str:
    """A page with its table in place."""
    before, after = text.split(BEGIN, maxsplit=1)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _sentence(text: str | None) -> str:
    """The first sentence, on one line."""
    line = " ".join((text or "").split())
    return f"{line.partition('. ')[0].rstrip('.')}."


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
