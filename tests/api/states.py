"""Everything that can be read, asked by twelve kinds of caller in ten states: what is asked, and what is expected.

The questions are the operations of the API's own description that read (`READING`): a new one is asked without anybody
writing it down, fails for want of a row in states.csv, and for want of an id where its address has a new parameter.

``python -m tests.api.states`` writes states.csv anew. It says what the service answers now, not what it should: whoever
commits it has compared the difference with the design.
"""

from __future__ import annotations

import asyncio
import csv
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from tests.api.asking import Answer
from tests.api.requests import Operation, Request, operations, phantom
from tests.api.routes import OPEN, OTHER_POLICY, SIGNED, TUS
from tests.api.town import CALLERS, STATES, VENDOR_SIDE, Cell, Town
from tests.world import a_world

STATES_FILE: Final = Path(__file__).parent / "states.csv"
TELLING: Final[Mapping[str, Callable[[Mapping[str, str]], Mapping[str, object]]]] = MappingProxyType(
    {
        "export_log": lambda things: {"engagement_id": things["engagement_id"]},
        "preview_overlay": lambda _things: {"rows": ["*,document:download,*,*,never"]},
        "preview_policy": lambda _things: {"files": dict(OTHER_POLICY)},
        "preview_wall": lambda things: {"person_id": things["person_id"], "matter_id": things["matter_id"]},
    }
)
"""Operations that only tell something too, though their method is POST, and what is sent to them."""
NO_ITEMS: Final = '{"items":[]'


class Told(NamedTuple):
    """What somebody in a state was answered."""

    operation: str
    state: str
    caller: str
    answer: Answer
    of_nothing: Answer | None  # to the same of a document that never existed; None where it is about no document

    @property
    def word(self) -> str:
        """The answer as states.csv has it: a vendor's person may be told of nothing, which is no refusal."""
        nothing = self.caller in VENDOR_SIDE and self.answer.status == 200 and NO_ITEMS in self.answer.text
        return f"{self.answer.word} none" if nothing else self.answer.word


def reading(document: Mapping[str, object]) -> dict[str, Operation]:
    """The operations that only read, by their ids."""
    found = operations(document)
    reads = {name for name, each in found.items() if each.method in {"GET", "HEAD"}}
    return {name: each for name, each in found.items() if name in (reads | TELLING.keys()) - OPEN - SIGNED}


def request_of(operation: Operation, cell: Cell) -> Request:
    """Ask for this caller's own things.

    Raises:
        KeyError: the operation wants an id that nobody in the town has: give it one in tests/api/town.py.
    """
    wanted = [each for each in operation.described.get("parameters", ()) if each.get("required")]
    path = {each["name"]: cell.things[each["name"]] for each in wanted if each["in"] == "path"}
    query = {each["name"]: cell.things[each["name"]] for each in wanted if each["in"] == "query"}
    body = TELLING[operation.id](cell.things) if operation.id in TELLING else None
    return Request(path, query, TUS if operation.path.startswith("/api/v1/uploads") else {}, body)


async def ask_in_every_state(town: Town, states: Collection[str] = STATES) -> list[Told]:
    """Ask everything of everybody."""
    http = town.world.http
    told: list[Told] = []
    for name, operation in reading(town.world.app.openapi()).items():
        for state in states:
            for caller in CALLERS:
                cell = town.cells[state, caller]
                request, of_nothing = request_of(operation, cell), None
                if "document_id" in request.path:
                    thing = request.path["document_id"]
                    unreal = request.with_id(thing, phantom(thing))
                    of_nothing = Answer.of(await operation.ask(http, cell.token, unreal))
                answer = Answer.of(await operation.ask(http, cell.token, request))
                told.append(Told(name, state, caller, answer, of_nothing))
    return told


def expected() -> dict[tuple[str, str, str], str]:
    """The answers that are expected, by operation, state and caller."""
    with STATES_FILE.open(newline="") as file:
        return {
            (row["operation"], row["state"], caller): row[caller] for row in csv.DictReader(file) for caller in CALLERS
        }


def write(told: Collection[Told]) -> None:
    """Write them."""
    words = {(each.operation, each.state, each.caller): each.word for each in told}
    with STATES_FILE.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["operation", "state", *CALLERS])
        rows.writerows(_rows(words))


def _rows(words: Mapping[tuple[str, str, str], str]) -> Iterator[list[str]]:
    for operation, state in dict.fromkeys(key[:2] for key in words):
        yield [operation, state, *(words[operation, state, caller] for caller in CALLERS)]


async def main() -> None:
    """Ask everything and write down the answers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with a_world(home / "var", f"sqlite:///{home / 'muniment.db'}") as world:
            write(await ask_in_every_state(await Town.build(world)))


if __name__ == "__main__":
    asyncio.run(main())
