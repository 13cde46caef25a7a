"""The nouns of the API as commands: a group for each tag, a command for each operation, an option for each member.

Rules kept here:

* nothing is written twice: names, help, required or not, and words come from the API's description;
* a command is one HTTP request (a list with --all: one for each page; a change without --if-match: one read before);
* a token is never an option's value: options stand in the list of processes.
"""

from __future__ import annotations

import inspect
import json
import mimetypes
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import typer

from service.cli.client import Client, new_file
from service.cli.description import TITLE_HEADER, Member, Operation, describe, operations
from service.cli.failures import read_settings
from service.cli.output import print_answer
from service.cli.progress import opened, watched
from service.cli.seating import open_client
from service.errors import BadInputError

IF_MATCH: Final = "If-Match"
BINARY: Final = "application/octet-stream"

_OWN: Final[Mapping[str, tuple[Any, str]]] = {
    "file": (Path, "The file to send."),
    "output": (Path, "Where to write it; - writes to standard output."),
    "all": (bool, "Follow the list to its end."),
    "json": (bool, "Print JSON instead of a table."),
    "token_file": (Path, "File that holds the bearer token, instead of MUNIMENT_TOKEN."),
}
"""Options that are ours and not the API's."""


def add_to(root: typer.Typer, by_hand: Mapping[str, typer.Typer], only: str | None = None) -> None:
    """Add a group for each noun of the API, or for `only` one; groups that are there already get what they lack.

    Raises:
        ValueError: two operations would become one command.
    """
    groups: dict[str, typer.Typer] = dict(by_hand)
    taken = {(group, command.name or "") for group, app in by_hand.items() for command in app.registered_commands}
    made: set[tuple[str, str]] = set()
    for operation in operations(describe(only)):
        key = operation.group, operation.name
        if key in made:
            raise ValueError(f"two commands are called {operation.group} {operation.name}")
        made.add(key)
        if operation.group not in groups:
            groups[operation.group] = typer.Typer(no_args_is_help=True, help=f"Over HTTP: {operation.group}.")
            root.add_typer(groups[operation.group], name=operation.group)
        if key not in taken:
            groups[operation.group].command(operation.name, help=operation.help)(command(operation))


def command(operation: Operation) -> Callable[..., None]:
    """Make the command of an operation: a function with the signature that its members ask for."""

    def run(**values: Any) -> None:
        perform(operation, values)

    parameters = [*map(_of_member, operation.members), *map(_of_ours, _ours(operation))]
    # Required ones first, as a signature wants it; for a terminal their order means nothing.
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions may carry one (PEP 362)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _ours(operation: Operation) -> Iterable[str]:
    if operation.raw:
        yield "file"
    if operation.is_contents:
        yield "output"
    if operation.pages:
        yield "all"
    if not operation.is_contents:
        yield "json"
    yield "token_file"


def _of_ours(name: str) -> inspect.Parameter:
    kind, said = _OWN[name]
    option = typer.Option(f"--{name.replace('_', '-')}", help=said, show_default=False)
    if name in {"file", "output"}:
        return _parameter(name, Annotated[kind, option])
    default = False if kind is bool else None
    return _parameter(name, Annotated[kind if kind is bool else kind | None, option], default)


def _of_member(member: Member) -> inspect.Parameter:
    kind: Any = Literal[member.words] if member.words and not member.many else (member.type or str)
    said = member.help
    if member.many:
        kind = list[kind]
        said = f"{said} May be said several times{': ' if member.words else '.'}{', '.join(member.words)}".strip()
    if member.name == TITLE_HEADER:
        said = "Title of the document; the file's name unless said."
    if member.where == "path":
        return _parameter(member.variable, Annotated[kind, typer.Argument(help=said, show_default=False)])
    if member.long:
        said = f"{said} @FILE reads it from a file.".strip()
    flag = f"--{member.variable.replace('_', '-')}"
    option = typer.Option(f"{flag}/--no-{flag[2:]}" if kind is bool else flag, help=said, show_default=False)
    if member.required and member.name != TITLE_HEADER:
        return _parameter(member.variable, Annotated[kind, option])
    return _parameter(member.variable, Annotated[kind | None, option], None)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


# Doing it -------------------------------------------------------------------------------------------------------------


def perform(operation: Operation, values: Mapping[str, Any]) -> None:
    """Send what a command was given and print what comes back."""
    client = open_client(read_settings(), values["token_file"])
    try:
        sent = _request(operation, values, client)
        path = _path(operation.path, operation, values)
        if operation.is_contents:
            _fetch(client, operation, path, sent, values["output"])
        elif values.get("all"):
            _print_all(client, path, sent["query"], as_json=values["json"])
        else:
            _ask(client, operation, path, sent, values)
    finally:
        client.close()


def _ask(client: Client, operation: Operation, path: str, sent: dict[str, Any], values: Mapping[str, Any]) -> None:
    if not operation.raw:
        answer = client.ask(operation.method, path, **sent)
    else:
        file: Path = values["file"]
        with opened(file) as content:
            answer = client.ask(operation.method, path, **sent, content=content)
    if answer.content:
        is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
        print_answer(answer.json() if is_json else answer.text, as_json=values["json"] and is_json)
    elif not values["json"]:
        print_answer("Done.", as_json=False)


def _print_all(client: Client, path: str, query: Mapping[str, Any], *, as_json: bool) -> None:
    print_answer({"items": list(client.items(path, **query))}, as_json=as_json)


def _fetch(client: Client, operation: Operation, path: str, sent: dict[str, Any], output: Path) -> None:
    request = {"params": sent["query"], "json": sent["body"], "headers": sent["headers"]}
    if str(output) == "-":
        client.fetch(operation.method, path, sys.stdout.buffer, watched, **request)
        return
    with new_file(output) as file:
        client.fetch(operation.method, path, file, watched, **request)


def _path(template: str, operation: Operation, values: Mapping[str, Any]) -> str:
    names = [member.name for member in operation.members if member.where == "path" and f"{{{member.name}}}" in template]
    return template.format(**{name: quote(str(values[name]), safe="") for name in names})


def _request(operation: Operation, values: Mapping[str, Any], client: Client) -> dict[str, Any]:
    """Put query, headers and body together."""
    said: dict[str, dict[str, Any]] = {"query": {}, "header": {}, "body": {}, "path": {}}
    for member in operation.members:
        value = values[member.variable]
        if value is not None:
            said[member.where][member.name] = _value(member, value)
    headers = said["header"]
    if operation.reads is not None and any(member.name == IF_MATCH for member in operation.members):
        headers.setdefault(IF_MATCH, None)
        if headers[IF_MATCH] is None:
            headers[IF_MATCH] = client.etag(_path(operation.reads, operation, values))
    if operation.raw:
        file: Path = values["file"]
        if any(member.name == TITLE_HEADER for member in operation.members):
            headers[TITLE_HEADER] = "UTF-8''" + quote(headers.get(TITLE_HEADER) or file.name, safe="")
        headers["Content-Type"] = mimetypes.guess_type(file.name)[0] or BINARY
    return {"query": said["query"], "headers": headers, "body": said["body"] if operation.takes_json else None}


def _value(member: Member, value: Any) -> Any:
    if member.where != "body":
        return value
    if member.type is None:
        try:
            return json.loads(value)
        except ValueError:
            raise BadInputError(f"--{member.variable.replace('_', '-')} is not JSON.") from None
    if member.long and value.startswith("@"):
        return _text_of(Path(value[1:]))
    return value


def _text_of(path: Path) -> str:
    """Read a text as it is, its line ends too: what is signed is the exact text."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise BadInputError("The file is not text in UTF-8.") from None
