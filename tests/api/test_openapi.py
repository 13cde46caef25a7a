"""The API's description of itself: complete, true to how refusals are answered, with examples that fit."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from service.api.description import API, BEARER, SIGNIN
from service.app import NOUNS
from tests.api.requests import Operation, operations
from tests.api.routes import OPEN, SIGNED
from tests.world import a_world

CHANGING = {"DELETE", "PATCH", "POST", "PUT"}
JSON, PROBLEM = "application/json", "application/problem+json"


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The description, as anybody gets it."""
    home = tmp_path_factory.mktemp("described")
    shutil.copyfile(migrated_file, home / "muniment.db")

    async def read() -> dict[str, Any]:
        async with a_world(home / "var", f"sqlite:///{home / 'muniment.db'}") as world:
            response = await world.http.get(f"{API}/openapi.json")
        assert response.status_code == 200
        document: dict[str, Any] = response.json()
        return document

    return asyncio.run(read())


@pytest.fixture
def described(served: dict[str, Any]) -> dict[str, Operation]:
    """Its operations by their ids."""
    return operations(served)


def _bodies(described: dict[str, Operation]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of every JSON body that is sent."""
    for name, operation in described.items():
        content = operation.described.get("requestBody", {}).get("content", {})
        if JSON in content:
            yield name, content[JSON]["schema"]


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


# Operations -----------------------------------------------------------------------------------------------------------


def test_every_operation_has_its_noun_an_id_and_a_sentence(described: dict[str, Operation]) -> None:
    nouns = {tag for noun in NOUNS for tag in noun.router.tags} | {"operations"}
    for name, operation in described.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert operation.described["summary"]
        assert operation.described["description"].endswith(".")
        assert set(operation.described["tags"]) < nouns


def test_ids_of_operations_are_said_once(served: dict[str, Any]) -> None:
    named = [operation["operationId"] for item in served["paths"].values() for operation in item.values()]
    assert len(named) == len(set(named))


def test_the_token_is_asked_for_by_every_operation_but_the_operators(
    served: dict[str, Any], described: dict[str, Operation]
) -> None:
    assert served["components"]["securitySchemes"][BEARER] | {"description": ""} == {
        "type": "http",
        "scheme": "bearer",
        "description": "",
    }
    for name, operation in described.items():
        shown = SIGNIN if name in SIGNED else BEARER
        assert operation.described["security"] == ([] if name in OPEN else [{shown: []}]), name
        assert operation.path.startswith(API) == (name not in OPEN), name


def test_paths_name_no_names_and_verbs_stand_in_no_path(described: dict[str, Operation]) -> None:
    for operation in described.values():
        parameters = re.findall(r"{(.*?)}", operation.path)
        assert all(name.endswith("_id") or name in {"number", "index"} for name in parameters), operation.path


# Answers --------------------------------------------------------------------------------------------------------------


PARTLY = {"206", "304"}
"""Answers that a client gets only where it asks for a part, or says what it has."""


def test_every_operation_describes_its_refusals_and_faults_as_the_problem_document(
    served: dict[str, Any], described: dict[str, Operation]
) -> None:
    for name, operation in described.items():
        answers = operation.described["responses"]
        assert set(answers) - {"200", "201", "204"} - PARTLY == {"4XX", "5XX"}, name
        for kind in ("4XX", "5XX"):
            answer = served["components"]["responses"][answers[kind]["$ref"].rpartition("/")[2]]
            assert list(answer["content"]) == [PROBLEM]
            assert _resolved(served, answer["content"][PROBLEM]["schema"])["required"]


def test_every_success_says_what_it_answers(described: dict[str, Operation]) -> None:
    for name, operation in described.items():
        (status,) = set(operation.described["responses"]) - {"4XX", "5XX"} - PARTLY
        content = operation.described["responses"][status].get("content", {})
        says_it_in_headers = operation.method == "HEAD" or name == "create_upload"
        assert bool(content) == (status != "204" and not says_it_in_headers), name
        assert all("schema" in media for media in content.values()), name
        assert status != "201" or operation.method == "POST", name


def test_no_schema_is_named_after_a_module_and_none_is_unused(served: dict[str, Any]) -> None:
    named = set(served["components"]["schemas"])
    assert not [name for name in named if "__" in name]
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(served)))
    assert used == named


# Requests -------------------------------------------------------------------------------------------------------------


def test_every_json_body_has_examples_that_fit_it(served: dict[str, Any], described: dict[str, Operation]) -> None:
    for name, schema in _bodies(described):
        examples = _resolved(served, schema).get("examples", [])
        assert examples, name
        validator = jsonschema_rs.Draft202012Validator(
            {**schema, "components": served["components"]}, validate_formats=True
        )
        for example in examples:
            validator.validate(example)


def test_every_json_body_refuses_members_that_it_does_not_have(
    served: dict[str, Any], described: dict[str, Operation]
) -> None:
    bodies = [_resolved(served, schema) for _, schema in _bodies(described)]
    bodies += [served["components"]["schemas"]["OnlyCopy"]]  # inside of another
    assert len(bodies) > 15
    for body in bodies:
        assert body["additionalProperties"] is False, body["title"]


def test_every_text_and_list_that_is_sent_has_a_largest_size(
    served: dict[str, Any], described: dict[str, Operation]
) -> None:
    unbounded = []
    for name, schema in _bodies(described):
        for member, inner in _resolved(served, schema)["properties"].items():
            for choice in inner.get("anyOf", [inner]):
                kind = choice.get("type")
                bounded = {"maxLength", "pattern", "format", "enum", "const", "$ref"} & set(choice)
                if (kind == "string" and not bounded) or (kind == "array" and "maxItems" not in choice):
                    unbounded.append(f"{name}: {member}")
    assert unbounded == []


def test_every_parameter_says_what_it_is_and_how_long_it_may_be(described: dict[str, Operation]) -> None:
    for name, operation in described.items():
        for parameter in operation.described.get("parameters", ()):
            where = f"{name}: {parameter['name']}"
            schemas = parameter["schema"].get("anyOf", [parameter["schema"]])
            texts = [schema for schema in schemas if schema.get("type") == "string"]
            assert all({"maxLength", "pattern", "enum"} & set(schema) for schema in texts), where


def test_what_creates_can_be_sent_again_and_what_changes_names_what_was_read(
    described: dict[str, Operation],
) -> None:
    # Another approval, return or run of a disposal is refused or finishes it; a token's text is shown once, so that
    # the same request makes another; naming twice is naming; an export and a preview change nothing; what shrinks
    # several grants names what was read of each in its body, what revokes many the digest of what was shown; undoing
    # what is undone changes nothing; a secret is told once, as a token is; a code counts once; what one said was not
    # meant for him is closed to him, so that a second word finds nothing (and the list tells that the first was heard).
    neither = {
        "add_seat",
        "append_upload",
        "approve_disposal",
        "choose_seat",
        "confirm_authenticator",
        "confirm_return",
        "create_signin",
        "create_token",
        "end_signin",
        "end_upload",
        "enrol_authenticator",
        "export_log",
        "name_on_team",
        "preview_overlay",
        "preview_policy",
        "preview_wall",
        "remove_seat",
        "reset_authenticator",
        "resume_person",
        "revoke_many",
        "revoke_token",
        "run_disposal",
        "say_misdirected",
        "shrink_grants",
        "step_up",
        "suspend_person",
        "take_off_team",
        "undo_bulk_grant",
        "undo_grant",
        "withdraw_disposal",
    }
    for name, operation in described.items():
        if operation.method not in CHANGING:
            continue
        headers = {parameter["name"] for parameter in operation.described.get("parameters", ())}
        assert bool(headers & {"Idempotency-Key", "If-Match"}) == (name not in neither), name
