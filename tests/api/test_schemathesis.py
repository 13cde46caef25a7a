"""Requests made up from the API's own description, good ones and bad ones, sent by three kinds of caller.

Half of them are about things that are really there. Checks that are left out, and why:

* positive data accepted: what fits the schema may still be refused by the policy, a state or a missing If-Match;
* unsupported method, Allow: asked by hand below, of every path; Allow names the methods of one route of the address;
* negative data where there is no body: a made-up parameter may vanish on the way (an empty list is sent as nothing),
  and what then arrives is good; `test_strict_input.py` sends bad parameters by hand;
* ignored auth: `test_every_route.py` asks every operation without a token in force;
* use after free: what is ended stays readable and says so.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.requests import operations
from tests.api.routes import CASES
from tests.api.scene import Scene
from tests.scale import count
from tests.world import a_world

CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
CHECKS_WITHOUT_BODY = [check for check in CHECKS if check is not negative_data_rejection]
schemathesis.serializer("application/offset+octet-stream")(
    lambda _context, value: bytes(str(value), "utf-8", "replace")
)
ROLES = ("lead", "granted", "reviewer")
EXAMPLES = count(60)
# Bad data that is refused only after the policy has said that the thing may be known, or that If-Match was forgotten.
REFUSED = ["400", "401", "403", "404", "405", "409", "411", "412", "413", "415", "422", "428"]


@pytest.fixture(scope="module")
def scene(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A world to be pestered."""
    home = tmp_path_factory.mktemp("pestered")
    shutil.copyfile(migrated_file, home / "muniment.db")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        made = a_world(home / "var", f"sqlite:///{home / 'muniment.db'}", allowed_hosts=("localhost", "testserver"))
        world = runner.run(stack.enter_async_context(made))
        yield runner.run(Scene.build(world))
        shutdown_lifespans()
        runner.run(stack.aclose())


@pytest.fixture(scope="module")
def real(scene: Scene) -> dict[str, dict[str, str]]:
    """Path parameters of a thing that is there, by operation."""
    return {case: dict(asyncio.run(make(scene)).path) for case, make in CASES.items() if " " not in case}


def _schema(scene: Scene) -> Any:
    config = SchemathesisConfig()
    config.projects.default.checks.negative_data_rejection.expected_statuses = REFUSED
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", scene.world.app, config=config)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_sent_is_answered_as_described(
    scene: Scene, real: dict[str, dict[str, str]], role: str, mode: schemathesis.GenerationMode
) -> None:
    token, left = scene.seats[role].token, []
    for result in _schema(scene).get_all_operations():
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        cases = operation.as_strategy(generation_mode=mode)
        if real.get(name):
            cases |= operation.as_strategy(generation_mode=mode, path_parameters=real[name])
        try:
            _ask(cases, token, CHECKS if operation.body else CHECKS_WITHOUT_BODY)
        except Unsatisfiable:
            left.append(operation)
    # What has neither parameter nor body cannot be sent badly.
    assert all(mode.is_negative and not list(each.iter_parameters()) and not each.body for each in left)


def _ask(cases: st.SearchStrategy[Any], token: str, checks: list[Any]) -> None:
    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)

    ask()


def test_a_method_that_an_address_does_not_have_answers_405_and_names_one_it_has(scene: Scene) -> None:
    token = scene.lead.token
    methods: dict[str, set[str]] = {}
    for operation in operations(scene.world.app.openapi()).values():
        methods.setdefault(re.sub("{.*?}", "x", operation.path), set()).add(operation.method)

    async def ask() -> None:
        # What of tus is spoken can be asked without a token, so it is no operation of the API.
        methods["/api/v1/uploads"].add("OPTIONS")
        for path, known in methods.items():
            for method in {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"} - known:
                headers = {"Authorization": f"Bearer {token}"}
                answer = await scene.world.http.request(method, path, headers=headers)
                assert answer.status_code == 405, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"
                assert set(answer.headers["allow"].split(", ")) <= known, (method, path)

    asyncio.run(ask())
