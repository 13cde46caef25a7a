from __future__ import annotations

from typing import Any

import pytest

from service.cli.description import Operation, describe, operations


def document(**paths: Any) -> dict[str, Any]:
    return {"paths": paths, "components": {"schemas": {"Word": {"enum": ["a", "b"], "type": "string"}}}}


def only(path: str, method: str, **described: Any) -> Operation:
    ready = {"operationId": "do_thing", "tags": ["things"], "responses": {}, **described}
    return operations(document(**{path: {method: ready}}))[0]


@pytest.mark.parametrize(
    ("operation_id", "tag", "name"),
    [
        ("add_vendor", "vendors", "add"),
        ("list_people", "people", "list"),
        ("read_person", "people", "read"),
        ("take_back_document", "documents", "take-back"),
        ("read_content", "documents", "read-content"),
        ("export_log", "audit", "export"),
        ("grants", "grants", "grants"),
        ("create_access_request", "access-requests", "create"),
        ("list_on_calls", "on-call", "list"),
    ],
)
def test_a_command_is_called_as_its_operation_without_the_noun(operation_id: str, tag: str, name: str) -> None:
    assert only("/x", "get", operationId=operation_id, tags=[tag]).name == name


def test_a_thing_is_read_where_its_path_says(  # the nearest thing with a GET, also above the path
) -> None:
    paths = {
        "/members/{id}": {"get": {"operationId": "read_member", "tags": ["members"], "responses": {}}},
        "/members/{id}/suspension": {"post": {"operationId": "suspend", "tags": ["members"], "responses": {}}},
        "/members": {"post": {"operationId": "add_member", "tags": ["members"], "responses": {}}},
    }
    assert [each.reads for each in operations(document(**paths))] == ["/members/{id}", "/members/{id}", None]


def test_references_and_alternatives_with_null_are_followed() -> None:
    body = {
        "required": ["word"],
        "properties": {
            "word": {"$ref": "#/components/schemas/Word"},
            "words": {"anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Word"}}, {"type": "null"}]},
            "count": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "things": {"type": "array", "items": {"type": "object"}},
            "at_once": {"type": "boolean"},
        },
    }
    found = only("/x", "post", requestBody={"content": {"application/json": {"schema": body}}})
    shapes = {each.name: (each.type, each.many, each.words, each.required) for each in found.members}
    assert shapes == {
        "word": (str, False, ("a", "b"), True),
        "words": (str, True, ("a", "b"), False),
        "count": (int, False, (), False),
        "things": (None, False, (), False),
        "at_once": (bool, False, (), False),
    }
    assert found.takes_json


def test_a_body_that_is_not_json_is_a_file() -> None:
    raw = only("/x", "post", requestBody={"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}})
    assert raw.raw
    assert not raw.takes_json


@pytest.mark.parametrize(
    ("media_type", "is_contents"), [("application/json", False), ("text/plain", False), ("application/zip", True)]
)
def test_what_is_neither_json_nor_text_goes_to_a_file(media_type: str, is_contents: bool) -> None:
    found = only("/x", "get", responses={"200": {"content": {media_type: {}}}})
    assert found.is_contents is is_contents


def test_operations_without_a_noun_are_no_commands() -> None:
    assert operations(document(**{"/healthz": {"get": {"operationId": "health", "responses": {}}}})) == []


def test_the_description_is_that_of_the_application(tmp_path: Any) -> None:
    """What commands are made from is what is served: same paths, same operations."""
    from service.app import NOUNS  # noqa: PLC0415  # compared, not used

    of_each = {path for noun in NOUNS for path in describe(noun.router.tags[0])["paths"]}
    assert of_each == set(describe()["paths"])
