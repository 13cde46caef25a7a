"""Everybody asks everything: each case of `tests.api.routes` as each caller of `tests.api.scene`, with what came of it.

Before each request the same is asked of a thing that never existed, so that the two answers can be compared.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import httpx2

from tests.api.entries import entries
from tests.api.requests import Operation, Request, operations, phantom
from tests.api.routes import CASES
from tests.api.scene import CALLERS, CANARIES, FOREIGN, PLAIN, Scene


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    code: str  # of a problem document, else ""
    text: str  # status line, headers and body, without what is new in every request
    request_id: str

    @classmethod
    def of(cls, response: httpx2.Response) -> Answer:
        """Read a response."""
        code = response.headers.get("muniment-error", "")
        assert not response.is_error or not response.content or response.json()["code"] == code
        request_id = response.headers["muniment-request"]
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        text = f"{response.status_code} {response.reason_phrase}\n{head}\n\n" + response.content.decode("latin-1")
        return cls(
            response.status_code,
            code,
            text.replace(request_id, ""),
            request_id,
        )

    @property
    def word(self) -> str:
        """The answer as answers.csv has it."""
        return f"{self.status} {self.code}".strip()

    def canaries(self) -> set[str]:
        """The kinds of name that got out with it."""
        return {kind for kind, canary in CANARIES.items() if canary in self.text}


@dataclass(frozen=True, slots=True)
class Asked:
    """One case asked by one caller."""

    case: str
    caller: str
    answer: Answer
    of_nothing: Answer | None  # to the same about a thing that never existed; None where the path names no thing
    named: tuple[str, ...]  # ids in the path

    @property
    def operation(self) -> str:
        """The operation that was asked."""
        return operation_of(self.case)


@dataclass(frozen=True, slots=True)
class Record:
    """All that was asked, and what the logs say of it."""

    asked: list[Asked]
    logged: dict[str, dict[str, list[str]]]  # by firm, then by request: types of entries
    bodies: str  # all entries of both firms, as they were written


def operation_of(case: str) -> str:
    """The operation of a case."""
    return case.partition(" ")[0]


async def ask_everything(scene: Scene, callers: Collection[str] = CALLERS) -> Record:
    """Ask every case as each of these callers."""
    described = operations(scene.world.app.openapi())
    asked: list[Asked] = []
    # What only reads goes first: it shows the world as it was made.
    for case in sorted(CASES, key=lambda case: described[operation_of(case)].method != "GET"):
        operation, make = described[operation_of(case)], CASES[case]
        request = await make(scene)
        for caller in callers:
            sent = request.with_names(PLAIN["title"]) if caller in FOREIGN else request
            asked.append(await _ask(scene, operation, case, caller, sent))
            if asked[-1].answer.status < 300 and operation.method != "GET":
                request = await make(scene)  # it is used up
    return Record(asked, *_read_logs(scene))


async def _ask(scene: Scene, operation: Operation, case: str, caller: str, request: Request) -> Asked:
    http, token = scene.world.http, scene.seats[caller].token
    of_nothing, named = None, tuple(request.path.values())
    if named:
        nothing = phantom(named[0]) if len(named[0]) == 36 else "987654321"
        of_nothing = Answer.of(await operation.ask(http, token, request.with_id(named[0], nothing)))
    return Asked(case, caller, Answer.of(await operation.ask(http, token, request)), of_nothing, named)


def _read_logs(scene: Scene) -> tuple[dict[str, dict[str, list[str]]], str]:
    logged: dict[str, dict[str, list[str]]] = {}
    bodies = ""
    for firm_id in (scene.world.firm_id, scene.foreign_firm):
        found = entries(replace(scene.world, firm_id=firm_id))
        of_firm = logged.setdefault(firm_id, {})
        for entry in found:
            of_firm.setdefault(entry.get("request", ""), []).append(entry["type"])
        bodies += repr(found)
    return logged, bodies


def firm_of(scene: Scene, caller: str) -> str:
    """The firm in whose world somebody asks."""
    return scene.foreign_firm if caller in FOREIGN else scene.world.firm_id
