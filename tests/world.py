"""A whole installation for tests: real database, folders, keys and ledger behind the real application.

Tests read as "change the world, ask, assert the answer". `World` founds a firm; `Person` is somebody with a token who
asks over HTTP (in process, no sockets). The clock stands still until `World.sleep` moves it.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from fastapi import FastAPI

from service import doctor, events, firms, tokens, wiring
from service.app import create_app
from service.config import BucketLocation, Settings
from service.db.ids import new_id
from service.ledger import Moment, Outcome
from service.scoping.matrix import Matrix
from service.services import Services
from tests.pockets import Pockets

START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z, a Friday
DAY_S = 86_400
YEARS_S = 100 * 365 * DAY_S
NDA = "You keep what you see here to yourself, and you give it back at the end.\n"


# What was asked of each policy so far, for all worlds of a process: Casbin is slow to ask, and answers the same.
_MATRICES: dict[str, Matrix] = {}


class Clock:
    """A clock that tests move."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def folder(location: Path | BucketLocation) -> Path:
    """The folder of a place that the test keeps in a folder."""
    assert isinstance(location, Path), location
    return location


async def findings(services: Services) -> list[doctor.Finding]:
    """What the doctor finds, without what SeaweedFS cannot tell of its buckets."""
    return [each for each in await doctor.examine(services) if each.code != "bucket_untold"]


def rfc3339(seconds: int) -> str:
    """UTC seconds as the API takes them."""
    from service.api.shapes import shown_time  # noqa: PLC0415  # the one way times are written

    shown = shown_time(seconds)
    assert shown is not None
    return shown


@dataclass
class Person:
    """Somebody who asks over HTTP with a token."""

    http: httpx2.AsyncClient
    person_id: str
    membership_id: str
    token: str

    async def ask(self, method: str, path: str, **how: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **how)

    async def get(self, path: str, status: int = 200, **how: Any) -> Any:
        return _checked(await self.ask("GET", path, **how), status)

    async def post(self, path: str, body: Any = None, status: int = 201, **how: Any) -> Any:
        return _checked(await self.ask("POST", path, json=body, **how), status)

    async def change(self, method: str, path: str, body: Any = None, status: int = 200, **how: Any) -> Any:
        """PUT, PATCH, DELETE or POST with the If-Match of the thing as it stands (`match` names where to read it)."""
        read = await self.ask("GET", how.pop("match", path))
        headers = {"if-match": read.headers.get("etag", ""), **how.pop("headers", {})}
        return _checked(await self.ask(method, path, json=body, headers=headers, **how), status)

    async def upload(
        self, engagement_id: str, part_id: str, body: bytes, status: int = 201, title: str = "Paper", **more: Any
    ) -> Any:
        params = {"part_id": part_id, "label": "correspondence", **{k: v for k, v in more.items() if k != "headers"}}
        headers = {
            "muniment-title": f"UTF-8''{quote(title)}",
            "content-type": "text/plain",
            **more.get("headers", {}),
        }
        path = f"/engagements/{engagement_id}/documents"
        return _checked(await self.ask("POST", path, content=body, params=params, headers=headers), status)


def _checked(response: httpx2.Response, status: int) -> Any:
    assert response.status_code == status, (response.status_code, response.text)
    if response.content and response.headers.get("content-type", "").startswith(
        ("application/json", "application/problem+json")
    ):
        return response.json()
    return response.content


@dataclass
class World:
    """One installation with one firm; more can be founded."""

    services: Services
    app: FastAPI
    http: httpx2.AsyncClient
    clock: Clock
    firm_id: str
    owner: Person
    verifier_key: str
    numbers: Any = field(default_factory=itertools.count)
    pockets: Pockets = field(default_factory=Pockets)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now_ms += int(seconds * 1000)

    @property
    def now(self) -> int:
        """UTC seconds."""
        return self.clock.now_ms // 1000

    async def token(self, person_id: str, membership_id: str, scopes: str = "*", ttl_s: int = YEARS_S) -> str:
        """Make a token as the operator would."""
        services = self.services
        new = tokens.draw(
            new_id("tok", self.clock(), services.random), self.firm_id, services.random(tokens.SECRET_BYTES)
        )

        def job(tx: Any, moment: Moment) -> Outcome[None]:
            who = events.system("cli")
            draft = tokens.create(
                tx, moment, new, self.firm_id, person_id, membership_id, scopes=scopes, ttl_s=ttl_s, who=who
            )
            return Outcome(None, (draft,))

        await services.ledger.submit(self.firm_id, job)
        return new.text

    async def step_up(self, *people: Person) -> None:
        """Let each prove that it is he, with a code of his authenticator: his token is stepped up for 10 minutes."""
        for person in people:

            async def post(path: str, body: object, who: Person = person) -> Any:
                return await who.post(path, body, 201 if path == "/me/authenticator" else 200)

            await self.pockets.step_up(person.person_id, person.token, self.now, post)

    async def sign_in(self, person_id: str, membership_id: str, scopes: str = "*") -> Person:
        """Give a membership a token and return who holds it."""
        return Person(self.http, person_id, membership_id, await self.token(person_id, membership_id, scopes))

    async def attorney(self, name: str = "Ada Attorney") -> Person:
        """An attorney of the whole house."""
        person = await self.owner.post("/people", {"email": f"a{next(self.numbers)}@firm.example", "name": name})
        member = await self.owner.post("/members", {"person_id": person["id"], "role": "attorney"})
        return await self.sign_in(person["id"], member["id"])

    async def engagement(self, days: int = 90) -> Engagement:
        """A vendor, a matter, and a running engagement with one part of it, led by an attorney."""
        attorney, number = await self.attorney(), next(self.numbers)
        vendor = await self.owner.post("/vendors", {"name": f"Vendor {number}"})
        matter = await attorney.post("/matters", {"number": f"2027-{number:04}", "client": "Maria Delgado"})
        engagement = await self.owner.post(
            "/engagements",
            {
                "vendor_id": vendor["id"],
                "number": f"E-{number:04}",
                "name": "Delgado intake",
                "starts_at": rfc3339(self.now),
                "ends_at": rfc3339(self.now + days * DAY_S),
                "lead_id": attorney.person_id,
            },
        )
        part = await attorney.post(
            f"/engagements/{engagement['id']}/parts", {"matter_id": matter["id"], "caption": "Delgado v. Acme"}
        )
        return Engagement(self, engagement["id"], vendor["id"], matter["id"], part["id"], attorney)


@dataclass
class Engagement:
    """An engagement as tests use it."""

    world: World
    id: str
    vendor_id: str
    matter_id: str
    part_id: str
    attorney: Person

    async def member(self, role: str = "paralegal", *, signed: bool = True) -> Person:
        """A vendor's person with this role, NDA signed unless said otherwise."""
        world = self.world
        number = next(world.numbers)
        person = await world.owner.post(
            "/people", {"email": f"v{number}@vendor.example", "name": f"Vera {number}", "vendor_id": self.vendor_id}
        )
        member = await self.attorney.post(f"/engagements/{self.id}/members", {"person_id": person["id"], "role": role})
        seat = await world.sign_in(person["id"], member["id"])
        if signed:
            await self.sign(seat)
        return seat

    async def agreement(self) -> Any:
        """The engagement's NDA, published on first use."""
        found = await self.attorney.get(f"/engagements/{self.id}/agreements")
        if found["items"]:
            return found["items"][0]
        return await self.attorney.post(f"/engagements/{self.id}/agreements", {"kind": "nda", "text": NDA})

    async def sign(self, seat: Person) -> Any:
        """Sign the NDA's newest text."""
        agreement = await self.agreement()
        shown = await seat.get(f"/agreements/{agreement['id']}")
        body = {"sha256": shown["sha256"], "typed_name": "Vera Vendor"}
        return await seat.post(f"/agreements/{agreement['id']}/signatures", body)

    async def document(self, body: bytes = b"a paper", **more: Any) -> Any:
        """A document that the attorney added."""
        return await self.attorney.upload(self.id, self.part_id, body, **{"sensitivity": "confidential", **more})

    async def grant(self, seat: Person, document_id: str, abilities: tuple[str, ...] = ("view", "download")) -> Any:
        """Share a document with a member until the engagement's end."""
        body = {
            "membership_id": seat.membership_id,
            "abilities": list(abilities),
            "not_after": rfc3339(self.world.now + 14 * DAY_S),
            "purpose": "Draft the letter.",
        }
        return await self.attorney.post(f"/documents/{document_id}/grants", body)

    async def demand(self, *words: str) -> None:
        """Let the engagement or the matter, whoever may, demand these duties and no others."""
        own = {"training", "background_check", "vendor_agreement", "vendor_review", "insurance"}
        for path, owed in (
            (f"/engagements/{self.id}", sorted(own & set(words))),
            (f"/matters/{self.matter_id}", sorted(set(words) - own)),
        ):
            await self.attorney.change("PATCH", path, {"owed": owed})

    async def evidence(self, duty: str, seat: Person | None = None, **more: Any) -> Any:
        """Record that a duty is met: the member's, the matter's, or the vendor's."""
        body: dict[str, Any] = {"duty": duty, "note": "Seen by us."}
        if seat is not None:
            body["person_id"] = seat.person_id
        if duty in {"client_consent", "conflict_check", "undertaking"}:
            body["matter_id"] = self.matter_id
        how = {name: more.pop(name) for name in ("status", "headers") if name in more}
        return await self.attorney.post(f"/engagements/{self.id}/duties", {**body, **more}, **how)

    async def standby(self, seat: Person, *documents: str, **more: Any) -> Any:
        """Seal papers for a member, to be opened for an hour within a day."""
        how = {name: more.pop(name) for name in ("status", "headers") if name in more}
        body = {
            "membership_id": seat.membership_id,
            "part_id": self.part_id,
            "documents": list(documents),
            "abilities": ["view", "download"],
            "lasts_s": 3600,
            "valid_until": rfc3339(self.world.now + DAY_S),
            "note": "If the clerk calls.",
            **more,
        }
        return await self.attorney.post(f"/engagements/{self.id}/standbys", body, **how)

    async def ask(self, seat: Person, labels: tuple[str, ...] = ("intake_form",), days: int = 14) -> Any:
        """Ask a member for papers."""
        body = {
            "membership_id": seat.membership_id,
            "part_id": self.part_id,
            "labels": list(labels),
            "instructions": "The client's form, please.",
            "not_after": rfc3339(self.world.now + days * DAY_S),
        }
        return await self.attorney.post(f"/engagements/{self.id}/asks", body)

    async def task(self, seat: Person, documents: tuple[str, ...] = (), days: int = 7, **more: Any) -> Any:
        """Give a member a task: a draft letter, unless said otherwise."""
        body = {
            "membership_id": seat.membership_id,
            "part_id": self.part_id,
            "preset": "make",
            "instructions": "Draft the answer, please.",
            "documents": list(documents),
            "labels": ["correspondence"],
            "due_at": rfc3339(self.world.now + days * DAY_S),
            **{name: value for name, value in more.items() if name not in {"status", "headers"}},
        }
        how = {name: more[name] for name in ("status", "headers") if name in more}
        return await self.attorney.post(f"/engagements/{self.id}/tasks", body, **how)


@asynccontextmanager
async def a_world(home: Path, database_url: str, **settings: Any) -> AsyncIterator[World]:
    """Make an installation, found a firm, and serve it in process."""
    clock = Clock()
    chosen = Settings(home=home, database_url=database_url, failed_attempts_per_minute=100_000, **settings)
    wiring.prepare(chosen)
    with wiring.open_installation(chosen, serving=True, clock=clock) as services:
        founded = await firms.found(
            services, "Hale & Partners", "owner@firm.example", "Olive Owner", "UTC", YEARS_S // DAY_S
        )
        services.matrix.current = _MATRICES.setdefault(services.matrix.current.epoch, services.matrix.current)
        app = create_app(services)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            owner = Person(http, founded.owner_person_id, founded.owner_membership_id, founded.owner_token.text)
            yield World(services, app, http, clock, founded.firm_id, owner, founded.verifier_key)
