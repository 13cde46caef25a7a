"""A request as tests keep it, an operation as the API's description has it, and the table of expected answers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from tests.api.scene import CALLERS, CANARIES

ANSWERS = Path(__file__).parent / "answers.csv"


@dataclass(frozen=True, slots=True)
class Request:
    """What a case sends, apart from its method and its path's template."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    content: bytes | None = None

    def ids(self) -> list[str]:
        """Every id that it names: of its path, its query, its body."""
        values = [*self.path.values(), *self.query.values(), *(self.json or {}).values()]
        return [value for value in values if isinstance(value, str) and is_id(value)]

    def with_id(self, old: str, new: str) -> Request:
        """The same, of another thing."""
        path, query, body = (
            {name: new if value == old else value for name, value in (where or {}).items()}
            for where in (self.path, self.query, self.json)
        )
        return replace(self, path=path, query=query, json=None if self.json is None else body)

    def with_names(self, name: str) -> Request:
        """The same with this name in the place of each name that must not get about."""
        return self if self.json is None else replace(self, json={**self.json, **_renamed(self.json, name)})


def _renamed(body: Mapping[str, Any], name: str) -> dict[str, str]:
    found = {member: text for member, text in body.items() if isinstance(text, str)}
    for canary in CANARIES.values():
        found = {member: text.replace(canary, name) for member, text in found.items()}
    return found


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the API's description has it."""

    id: str
    method: str
    path: str
    described: Mapping[str, Any]

    async def ask(self, http: httpx2.AsyncClient, token: str | None, request: Request) -> httpx2.Response:
        """Send a request, with a token or without."""
        path = self.path.format(**{name: quote(value, safe="") for name, value in request.path.items()})
        headers = dict(request.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        how: dict[str, Any] = {"json": request.json} if request.json is not None else {"content": request.content}
        return await http.request(self.method, path, params=dict(request.query), headers=headers, **how)


def is_id(text: str) -> bool:
    """Say whether a text has the form of an id."""
    kind, _, number = text.partition("_")
    return len(kind) == 3 and len(number) == 32 and set(number) <= set("0123456789abcdef")


def phantom(text: str) -> str:
    """An id of the same kind and age that never existed."""
    return text[:-12] + "".join("0123456789abcdef"[(int(digit, 16) + 7) % 16] for digit in text[-12:])


def operations(document: Mapping[str, Any]) -> dict[str, Operation]:
    """The operations of an OpenAPI document, by their ids."""
    return {
        described["operationId"]: Operation(described["operationId"], method.upper(), path, described)
        for path, item in document["paths"].items()
        for method, described in item.items()
    }


def answers() -> dict[str, dict[str, str]]:
    """The answers that are expected: by case, then by caller."""
    with ANSWERS.open(newline="") as file:
        return {row.pop("case"): row for row in csv.DictReader(file)}


def write(found: Mapping[str, Mapping[str, str]]) -> None:
    """Write them."""
    with ANSWERS.open("w", newline="") as file:
        rows = csv.DictWriter(file, ["case", *CALLERS], lineterminator="\n")
        rows.writeheader()
        rows.writerows({"case": case, **row} for case, row in found.items())
