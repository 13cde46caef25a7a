"""The workflows that faults are tried on: one request each, the right answer, and what asking again may answer."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from audit.checkpoint import verify
from audit.verify import verify_bundle
from service import doctor, rotation
from service.errors import MunimentError
from service.rotation import Level, Rotated
from service.services import Services
from tests.api.wire import Answer, ask
from tests.faults.house import LARGE, NEW_ENGAGEMENT, SMALL, TITLE, TYPED_NAME, House, Scene
from tests.world import DAY_S, START_MS, Person, rfc3339

CLEAN: Final = frozenset({503, 507})
NOW: Final = START_MS // 1000


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: by whom (a token's name), where, and with what."""

    who: str
    method: str
    path: str
    body: Any = None
    pieces: tuple[bytes, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workflow:
    """One piece of work.

    Args:
        name: of the workflow.
        run: asks once.
        status: of the right answer.
        require_right: raises unless what came with that status is right.
        again: statuses that may answer a second asking once it has happened, beside the right one.
        in_parts: what was done of it stays when the rest fails; everything opens meanwhile, and asking again ends it.
        whole: the body that a broken answer must be the beginning of; None where it is made anew each time.
    """

    name: str
    run: Callable[[House], Awaitable[Answer]]
    status: int
    require_right: Callable[[Answer, Scene], None]
    again: frozenset[int] = frozenset()
    whole: bytes | None = None
    in_parts: bool = False

    def require_right_or_clean(self, answer: Answer, scene: Scene) -> bool:
        """Say whether it was done; an answer that is neither right nor a clean error fails."""
        if answer.complete and answer.status == self.status:
            self.require_right(answer, scene)
            return True
        if answer.complete:
            assert answer.status in CLEAN, (answer.status, answer.body)
            assert json.loads(answer.body)["status"] == answer.status
            return False
        assert answer.status == self.status, "an answer that was broken off had begun well"
        if self.whole is not None:
            assert self.whole.startswith(answer.body)
            assert len(answer.body) < len(self.whole), "all of it left, and still it was called broken"
        return False


def _asking(make: Callable[[Scene], Request]) -> Callable[[House], Awaitable[Answer]]:
    async def run(house: House) -> Answer:
        request = make(house.scene)
        person = Person(None, "", "", house.scene.tokens[request.who])  # type: ignore[arg-type]  # asked by ASGI
        headers: dict[str, Any] = dict(request.headers)
        pieces = request.pieces
        if request.body is not None:
            headers["content_type"] = "application/json"
            pieces = (json.dumps(request.body).encode(),)
        return await ask(
            person, house.app, request.method, request.path, pieces, params=dict(request.params), **headers
        )

    return run


# Requests -------------------------------------------------------------------------------------------------------------


def _add(scene: Scene, **headers: str) -> Request:
    params = {"part_id": scene.things["part"], "label": "correspondence", "sensitivity": "confidential"}
    said = {"muniment_title": f"UTF-8''{quote(TITLE)}", "content_type": "application/octet-stream"}
    pieces = tuple(LARGE[start : start + 100_000] for start in range(0, len(LARGE), 100_000))
    path = f"/engagements/{scene.things['engagement']}/documents"
    return Request("attorney", "POST", path, pieces=pieces, params=params, headers={**said, **headers})


def _confirm(scene: Scene) -> Request:
    document_id = scene.things["to confirm"]
    body = {"label": "intake_form", "sensitivity": "confidential", "title": TITLE}
    return Request(
        "attorney", "POST", f"/documents/{document_id}/confirmation", body, headers={"if_match": f'"{document_id}-1"'}
    )


def _take_back(scene: Scene) -> Request:
    document_id = scene.things["to take back"]
    return Request("intake", "DELETE", f"/documents/{document_id}", headers={"if_match": f'"{document_id}-1"'})


def _move(scene: Scene) -> Request:
    document_id = scene.things["large"]
    body = {"part_id": scene.things["part beside"]}
    return Request(
        "attorney", "POST", f"/documents/{document_id}/move", body, headers={"if_match": f'"{document_id}-1"'}
    )


def _grant(scene: Scene) -> Request:
    body = {
        "membership_id": scene.things["seat"],
        "abilities": ["view", "download"],
        "not_after": rfc3339(NOW + DAY_S),
        "purpose": "Draft the letter.",
    }
    path = f"/documents/{scene.things['small']}/grants"
    return Request("attorney", "POST", path, body, headers={"idempotency_key": "grant"})


def _sign(scene: Scene) -> Request:
    body = {"sha256": scene.things["agreement text"], "typed_name": TYPED_NAME}
    path = f"/agreements/{scene.things['agreement']}/signatures"
    return Request("unsigned", "POST", path, body, headers={"idempotency_key": "sign"})


def _engage(scene: Scene) -> Request:
    body = {
        "vendor_id": scene.things["vendor"],
        "number": "E-9999",
        "name": NEW_ENGAGEMENT,
        "starts_at": rfc3339(NOW),
        "ends_at": rfc3339(NOW + DAY_S),
        "lead_id": scene.things["lead"],
    }
    return Request("owner", "POST", "/engagements", body, headers={"idempotency_key": "engage"})


def _of(who: str, method: str, path: str, thing: str = "", body: Any = None) -> Callable[[Scene], Request]:
    return lambda scene: Request(who, method, path.format(scene.things.get(thing)), body)


# Right answers --------------------------------------------------------------------------------------------------------


def _is_receipt(answer: Answer, _scene: Scene) -> None:
    assert json.loads(answer.body)["sha256"] == hashlib.sha256(LARGE).hexdigest()


def _is(content: bytes) -> Callable[[Answer, Scene], None]:
    def require(answer: Answer, _scene: Scene) -> None:
        assert answer.body == content

    return require


def _says(**members: Any) -> Callable[[Answer, Scene], None]:
    def require(answer: Answer, _scene: Scene) -> None:
        shown = json.loads(answer.body)
        assert {name: shown.get(name) for name in members} == members

    return require


def _lists(answer: Answer, scene: Scene) -> None:
    shown = {item["id"] for item in json.loads(answer.body)["items"]}
    assert shown >= {scene.things["large"], scene.things["small"]}


def _is_bundle(answer: Answer, scene: Scene) -> None:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        Path(file.name).write_bytes(answer.body)
        assert verify_bundle(file.name, key=scene.verifier_key).exit_code == 0


def _is_checkpoint(answer: Answer, scene: Scene) -> None:
    assert verify(answer.body, scene.verifier_key).origin == f"muniment/{scene.firm_id}"


def _is_healthy(answer: Answer, _scene: Scene) -> None:
    assert answer.body == b"[]"


async def _examine(house: House) -> Answer:
    """The doctor, answering as the API would."""
    try:
        findings = await doctor.examine(house.services)
    except MunimentError as error:
        return _answer(error.status, {"status": error.status})
    codes = sorted(finding.code for finding in findings)
    away = {"unavailable", "key_place_unavailable", "store_unavailable", "key_place_behind", "root_key_unavailable"}
    return _answer(503, {"status": 503}) if away & set(codes) else _answer(200, codes)


def _rotating(rotate: Callable[[Services], Awaitable[Rotated]]) -> Callable[[House], Awaitable[Answer]]:
    """What `muniment keys rotate` does, answering as the API would."""

    async def run(house: House) -> Answer:
        try:
            done = await rotate(house.services)
        except MunimentError as error:
            return _answer(error.status, {"status": error.status})
        return _answer(200, {"level": done.level})

    return run


def _level(level: Level) -> Callable[[Services], Awaitable[Rotated]]:
    return lambda services: rotation.rotate(services, level, _nobody_watches)


def _root(services: Services) -> Awaitable[Rotated]:
    return rotation.rotate_root(services, _nobody_watches)


def _nobody_watches(_done: int, _of: int) -> None:
    """Nobody looks at the bar."""


def _answer(status: int, body: Any) -> Answer:
    return Answer(status, pieces=[json.dumps(body).encode()], complete=True)


WORKFLOWS: Final = (
    Workflow("add", _asking(lambda scene: _add(scene, idempotency_key="add")), 201, _is_receipt),
    Workflow("add, cut short", _asking(lambda scene: _add(scene, content_length="9999999")), 400, _says(status=400)),
    Workflow("read", _asking(_of("attorney", "GET", "/documents/{}/content", "large")), 200, _is(LARGE), whole=LARGE),
    Workflow("read, small", _asking(_of("attorney", "GET", "/documents/{}/content", "small")), 200, _is(SMALL)),
    Workflow("card", _asking(_of("attorney", "GET", "/documents/{}", "small")), 200, _says(title=TITLE)),
    Workflow("list", _asking(_of("attorney", "GET", "/engagements/{}/documents", "engagement")), 200, _lists),
    Workflow("confirm", _asking(_confirm), 200, _says(state="confirmed", title=TITLE), frozenset({412})),
    Workflow("take back", _asking(_take_back), 204, _is(b""), frozenset({403, 404, 409, 412})),
    Workflow("move", _asking(_move), 201, _says(state="confirmed", title=TITLE), frozenset({410})),
    Workflow("grant", _asking(_grant), 201, _says(abilities=["download", "view"])),
    Workflow("sign", _asking(_sign), 201, _says(typed_name=TYPED_NAME)),
    Workflow("engage", _asking(_engage), 201, _says(number="E-9999", status="running")),
    Workflow("export", _asking(_of("reviewer", "POST", "/audit/exports", body={})), 200, _is_bundle),
    Workflow("checkpoint", _asking(_of("reviewer", "GET", "/audit/checkpoint")), 200, _is_checkpoint),
    Workflow(
        "dispose",
        _asking(_of("ending attorney", "POST", "/disposals/{}/run", "disposal")),
        200,
        _says(state="certified"),
    ),
    Workflow("rotate firms", _rotating(_level(Level.FIRM)), 200, _says(level="firm"), in_parts=True),
    Workflow("rotate engagements", _rotating(_level(Level.ENGAGEMENT)), 200, _says(level="engagement"), in_parts=True),
    Workflow("rotate root", _rotating(_root), 200, _says(level="root"), in_parts=True),
    Workflow("doctor", _examine, 200, _is_healthy),
)
