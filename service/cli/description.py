"""The API's own description (OpenAPI), read into what commands are made of.

It is made from the routers that the service serves, in this process, so it needs neither an installation nor a running
service, and a command cannot say anything that the API does not.

It knows nothing of terminals (see `service.cli.nouns`).

Source: OpenAPI 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI

from service.app import NOUNS, mount

JSON: Final = "application/json"
LINE_CHARACTERS: Final = 400
TITLE_HEADER: Final = "Muniment-Title"

_SINGULAR: Final = {"duties": "duty", "emergencies": "emergency", "people": "person"}
# Operations that have another noun than their group: how they are called as commands.
RENAMED: Final[Mapping[str, str]] = {
    "create_signin": "start",
    "end_signin": "stop",
    "export_log": "export",
    "list_entries": "entries",
    "prove_entry": "prove",
    "read_checkpoint": "checkpoint",
}
PROTOCOLS: Final = frozenset({"uploads"})
_TYPES: Final[Mapping[str, type]] = {"integer": int, "boolean": bool, "string": str}


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that a request may say."""

    name: str  # as the API calls it
    where: str  # path | query | header | body
    required: bool
    type: type | None  # str, int or bool; None: JSON text
    many: bool  # a list of them
    words: tuple[str, ...]  # the only values, where they are words
    long: bool  # text of more than a line
    help: str

    @property
    def variable(self) -> str:
        """The name as a variable; an option is this with dashes."""
        return self.name.removeprefix("Muniment-").lower().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Operation:
    """One act of the API."""

    group: str
    name: str
    method: str
    path: str
    help: str
    members: tuple[Member, ...]
    takes_json: bool
    raw: bool  # the body is a file
    answers: str | None  # media type of the answer; None: no body
    pages: bool  # the answer is a page of a list
    reads: str | None  # path under which the thing can be read before it is changed

    @property
    def is_contents(self) -> bool:
        """Whether the answer is a file."""
        return self.answers is not None and self.answers != JSON and not self.answers.startswith("text/")


def describe(group: str | None = None) -> dict[str, Any]:
    """Return the OpenAPI document of the API; of one noun alone where there is a noun with this name."""
    app = FastAPI(title="Muniment", version="1")
    chosen = [noun for noun in NOUNS if group in noun.router.tags]
    mount(app, chosen or NOUNS)
    return app.openapi()


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Read the operations of an OpenAPI document, in its order."""
    paths = document["paths"]
    return [
        _operation(document, paths, path, method, described)
        for path, item in paths.items()
        for method, described in item.items()
        if described.get("tags") and not _is_for_programs(method, described)
    ]


def _is_for_programs(method: str, described: Mapping[str, Any]) -> bool:
    """Headers without a body, and the protocol that clients of tus speak."""
    return method == "head" or described["tags"][0] in PROTOCOLS


def _operation(
    document: Mapping[str, Any], paths: Mapping[str, Any], path: str, method: str, described: Mapping[str, Any]
) -> Operation:
    group = described["tags"][0]
    members = [_parameter(document, item) for item in described.get("parameters", ())]
    body = described.get("requestBody", {}).get("content", {})
    if JSON in body:
        members += _body(document, body[JSON]["schema"])
    answers, schema = _answer(document, described["responses"])
    return Operation(
        group=group,
        name=_name(described["operationId"], group),
        method=method.upper(),
        path=path,
        help=described.get("description") or described.get("summary", ""),
        members=tuple(members),
        takes_json=JSON in body,
        raw=bool(body) and JSON not in body,
        answers=answers,
        pages="next_cursor" in schema.get("properties", {}),
        reads=_readable(paths, path),
    )


def _name(operation_id: str, group: str) -> str:
    """Name a command: the operation without its noun, which the group says already."""
    if operation_id in RENAMED:
        return RENAMED[operation_id]
    for noun in (group, f"{group}s", _SINGULAR.get(group, group.removesuffix("s"))):
        operation_id = operation_id.removesuffix(f"_{noun.replace('-', '_')}")
    return operation_id.replace("_", "-")


def _parameter(document: Mapping[str, Any], item: Mapping[str, Any]) -> Member:
    required = bool(item.get("required")) or item["name"] == TITLE_HEADER
    return _member(document, item["name"], item["in"], item["schema"], required, item.get("description", ""))


def _body(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Member]:
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        yield _member(document, name, "body", inner, name in required, "")


def _member(
    document: Mapping[str, Any], name: str, where: str, schema: Mapping[str, Any], required: bool, said: str
) -> Member:
    found = _resolved(document, schema)
    many = found.get("type") == "array"
    inner = _resolved(document, found["items"]) if many else found
    kind = _TYPES.get(str(inner.get("type", "string")))
    if many and kind is None:
        many = False  # a list of things with members of their own is given as JSON
    return Member(
        name=name,
        where=where,
        required=required,
        type=kind,
        many=many,
        words=tuple(str(word) for word in inner.get("enum", ())),
        long=where == "body" and kind is str and not many and int(inner.get("maxLength", 0)) > LINE_CHARACTERS,
        help=said or _first_words(found) or _hint(inner, kind),
    )


def _first_words(schema: Mapping[str, Any]) -> str:
    """What a schema says of itself; of a type that is used in many places, what stands before the first semicolon."""
    said: str = schema.get("description", "")
    return (
        said if "enum" not in schema else said.partition("\n")[0].partition(";")[0].partition(",")[0].rstrip(".") + "."
    )


def _hint(schema: Mapping[str, Any], kind: type | None) -> str:
    """Say what form is asked for, where the API's description says no more."""
    if schema.get("format") == "date-time":
        return "Time with its zone, such as 2031-05-04T18:00:00Z."
    return "As JSON." if kind is None else ""


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Follow references, and take the one alternative that is not null."""
    found = dict(schema)
    while True:
        if "$ref" in found:
            target: Any = document
            for step in found.pop("$ref").removeprefix("#/").split("/"):
                target = target[step]
            found = {**target, **found}
        elif "anyOf" in found or "allOf" in found:
            choices = [item for item in found.pop("anyOf", None) or found.pop("allOf") if item.get("type") != "null"]
            found = {**choices[0], **found}
        else:
            return found


def _answer(document: Mapping[str, Any], responses: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    success: Mapping[str, Any] = next((item for status, item in responses.items() if status.startswith("2")), {})
    for media_type, described in success.get("content", {}).items():
        return media_type, _resolved(document, described.get("schema", {}))
    return None, {}


def _readable(paths: Mapping[str, Any], path: str) -> str | None:
    """Find the nearest thing in a path that can be read: it carries the ETag that a change must name."""
    steps = path.split("/")
    while steps:
        candidate = "/".join(steps)
        if steps[-1].startswith("{") and "get" in paths.get(candidate, {}):
            return candidate
        steps.pop()
    return None
