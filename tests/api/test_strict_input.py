"""What no operation takes: members and parameters that it does not have, things said twice, ids that are none.

Generated from the API's description, so that a new route is asked too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.api.asking import operation_of
from tests.api.entries import entries
from tests.api.requests import Request, operations
from tests.api.routes import CASES
from tests.api.scene import Scene
from tests.api.staging import Stage, staged

PRIVILEGED = (
    "abilities",
    "added_by",
    "approved_by",
    "created_at",
    "engagement_id",
    "etag",
    "firm_id",
    "granted_by",
    "id",
    "lead_id",
    "nda_signed_at",
    "owner",
    "role",
    "scopes",
    "state",
)
"""Members that a body might try to set; where it has one of them by right, that one is left out."""

NO_IDS = (
    "x",
    "%2e%2e%2f",
    "doc_",
    f"doc_{'g' * 32}",
    f"DOC_{'0' * 32}",
    f"doc_{'0' * 33}",
    "'or'1",
    "\u202e",
    "é" * 40,
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everybody, and something of everything."""
    home = tmp_path_factory.mktemp("strict")
    yield from staged(home / "var", f"sqlite:///{home / 'muniment.db'}")


def _made(stage: Stage) -> dict[str, Request]:
    return {case: stage.runner.run(make(stage.scene)) for case, make in CASES.items() if " " not in case}


def _changes(scene: Scene) -> list[Any]:
    """What the log says was done, but for what was only looked at or refused."""
    return [entry for entry in entries(scene.world) if not entry["type"].startswith(("access.", "list."))]


def test_a_member_that_a_body_does_not_have_is_refused_and_nothing_changes(stage: Stage) -> None:
    made = {case: request for case, request in _made(stage).items() if request.json is not None}
    described = stage.operations
    schemas = stage.scene.world.app.openapi()["components"]["schemas"]
    before, tried = len(_changes(stage.scene)), 0
    for case, request in made.items():
        content = described[case].described["requestBody"]["content"]["application/json"]["schema"]
        own = schemas[content["$ref"].rpartition("/")[2]]["properties"]
        for member in set(PRIVILEGED) - set(own):
            answer = stage.ask(
                case, stage.scene.lead.token, replace(request, json={**(request.json or {}), member: "x"})
            )
            assert answer.word == "422 bad_input", (case, member)
            assert f'"/body/{member}"' in answer.text, (case, member)
            tried += 1
    assert tried > 200
    assert len(_changes(stage.scene)) == before


def test_a_parameter_that_an_address_does_not_have_is_refused(stage: Stage) -> None:
    # A slip in a filter's name would otherwise show more than was asked for.
    for case, request in _made(stage).items():
        answer = stage.ask(case, stage.scene.lead.token, replace(request, query={**request.query, "slip": "x"}))
        assert answer.word == "422 bad_input", case
        assert '"/query/slip"' in answer.text or stage.operations[operation_of(case)].method == "HEAD", case


def test_a_parameter_that_is_sent_twice_is_refused(stage: Stage) -> None:
    scene, http = stage.scene, stage.scene.world.http
    headers = {"Authorization": f"Bearer {scene.lead.token}"}
    asked = 0
    for operation in operations(scene.world.app.openapi()).values():
        names = {
            parameter["name"] for parameter in operation.described.get("parameters", ()) if parameter["in"] == "query"
        }
        for name in names:
            ids = {f"{noun}_id": scene.things[noun] for noun in ("engagement", "document", "matter", "person")}
            path = operation.path.format(**ids, index=0)
            response = stage.runner.run(http.request(operation.method, f"{path}?{name}=1&{name}=1", headers=headers))
            assert response.status_code == 422, (operation.id, name)
            assert f"/query/{name}" in response.text, (operation.id, name)
            asked += 1
    assert asked > 30


def test_what_is_no_id_is_not_there_or_not_readable_and_is_not_repeated(stage: Stage) -> None:
    for case, request in _made(stage).items():
        for parameter in request.path:
            for text in NO_IDS:
                answer = stage.ask(
                    case, stage.scene.lead.token, replace(request, path={**request.path, parameter: text})
                )
                if case == "list_documents" and answer.text.endswith('{"items":[],"next_cursor":null}'):
                    continue  # a firm person's list is of what is theirs: in a place that is none, nothing
                assert answer.status in {403, 404, 405, 422}, (case, text, answer.text)
                assert len(text) < 6 or text not in answer.text, (case, text)
