"""A law firm to test with: people who call the real application with tokens of their own, and the firm's log to read.

Every call goes through the whole edge (middleware, strict bodies, problem documents); nothing is mocked. `House.found`
founds a new firm in a shared installation, so tests never meet each other's rows, and another house is a foreign firm.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2
from sqlalchemy import bindparam, select

from service import firms, tokens, wiring
from service.db.models import log_entries
from service.services import Services
from tests.pockets import Pockets

DAY_S = 86_400
LONG_AGO = "2020-01-01T00:00:00Z"
FAR = "2120-01-01T00:00:00Z"
FARTHER = "2121-01-01T00:00:00Z"

_ENTRIES = select(log_entries.c.body).where(log_entries.c.log_id == bindparam("log")).order_by(log_entries.c.idx)


@dataclass(slots=True)
class Clock:
    """The machine's clock, which a test may set forward."""

    ahead_ms: int = 0

    def __call__(self) -> int:
        return wiring.clock_ms() + self.ahead_ms

    def pass_days(self, days: int) -> None:
        """Let time pass."""
        self.ahead_ms += days * DAY_S * 1000


@dataclass(frozen=True, slots=True)
class Asker:
    """A person who acts in one membership."""

    client: httpx2.AsyncClient
    token: str
    person_id: str
    member_id: str

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Send a request; header names are written with underscores."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
            return await self.client.request(method, f"/api/v1{path}", content=body, headers=sent)
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=sent)

    async def get(self, path: str) -> httpx2.Response:
        """Read."""
        return await self.ask("GET", path)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Create."""
        return await self.ask("POST", path, body, **headers)

    async def made(self, path: str, body: object) -> Any:
        """Create something that must be allowed, and return it."""
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def seen(self, path: str) -> Any:
        """Read something that must be allowed, and return it."""
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, path: str) -> list[Any]:
        """Read all the pages of a list."""
        items: list[Any] = []
        cursor, mark = "", "&" if "?" in path else "?"
        while True:
            page = await self.seen(f"{path}{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"{mark}cursor={page['next_cursor']}"

    async def matched(self, method: str, path: str, of: str, body: object = None) -> httpx2.Response:
        """Change something as it was just read at `of`."""
        read = await self.get(of)
        assert read.status_code == 200, read.text
        return await self.ask(method, path, body, If_Match=read.headers["etag"])


@dataclass(slots=True)
class House:
    """A firm, its owner, and ways to people it."""

    services: Services
    client: httpx2.AsyncClient
    firm_id: str
    owner: Asker
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    pockets: Pockets = field(default_factory=Pockets)

    @classmethod
    async def found(cls, services: Services, client: httpx2.AsyncClient) -> Self:
        """Found a firm."""
        made = await firms.found(services, "Okafor & Lind", "olu@firm.example", "Olu Okafor", "UTC", 3650)
        owner = Asker(client, made.owner_token.text, made.owner_person_id, made.owner_membership_id)
        return cls(services, client, made.firm_id, owner)

    async def step_up(self, asker: Asker) -> Asker:
        """Let somebody prove that it is he, with a code of his authenticator."""

        async def post(path: str, body: object) -> Any:
            answer = await asker.post(path, body)
            assert answer.is_success, answer.text
            return answer.json()

        await self.pockets.step_up(asker.person_id, asker.token, self.services.clock() // 1000, post)
        return asker

    async def vendor(self) -> str:
        """Record a vendor."""
        made = await self.owner.made("/vendors", {"name": f"Vendor {next(self.numbers)}"})
        return str(made["id"])

    async def person(self, vendor_id: str | None = None) -> str:
        """Record a person."""
        number = next(self.numbers)
        body = {"email": f"p{number}@x.example", "name": f"Person {number}", "vendor_id": vendor_id}
        return str((await self.owner.made("/people", body))["id"])

    async def asker(self, member: Any) -> Asker:
        """Give a member a token."""
        new = await tokens.issue(self.services, member["id"], "*", 3650 * DAY_S)
        return Asker(self.client, new.text, member["person_id"], member["id"])

    async def of_house(self, role: str, person_id: str | None = None) -> Asker:
        """Let somebody of the firm act for the whole house."""
        body = {"person_id": person_id or await self.person(), "role": role}
        return await self.asker(await self.owner.made("/members", body))

    async def member(self, engagement: Any, role: str, person_id: str | None = None, **dates: str) -> Asker:
        """Let somebody act in an engagement; where no person is named, a new one of the right side."""
        firm_side = role in {"attorney", "coordinator", "reviewer"}
        person_id = person_id or await self.person(None if firm_side else engagement["vendor_id"])
        body = {"person_id": person_id, "role": role, **dates}
        return await self.asker(await self.owner.made(f"/engagements/{engagement['id']}/members", body))

    async def matter(self, attorney: Asker) -> Any:
        """Open a matter."""
        number = next(self.numbers)
        return await attorney.made("/matters", {"number": f"M-{number}", "client": f"Client {number}"})

    async def engagement(self, lead: Asker, **changes: object) -> Any:
        """Begin an engagement with a new vendor."""
        number = next(self.numbers)
        body = {"number": f"E-{number}", "name": f"Speaking {number}", "starts_at": LONG_AGO, "ends_at": FAR}
        if "vendor_id" not in changes:
            changes["vendor_id"] = await self.vendor()
        return await lead.made("/engagements", {**body, "lead_id": lead.person_id, **changes})

    async def sign_nda(self, lead: Asker, engagement: Any, *members: Asker) -> None:
        """Publish an NDA and let members sign it."""
        agreement = await lead.made(f"/engagements/{engagement['id']}/agreements", {"kind": "nda", "text": "Hush."})
        for member in members:
            text = await member.seen(f"/agreements/{agreement['id']}")
            signature = {"sha256": text["sha256"], "typed_name": "As Written"}
            await member.made(f"/agreements/{agreement['id']}/signatures", signature)

    def entries(self, kind: str | None = None) -> list[Any]:
        """The firm's log entries, all or those of one type, oldest first."""
        with self.services.database.read(self.firm_id) as tx:
            found = [json.loads(row.body) for row in tx.all(_ENTRIES, log=self.firm_id)]
        return [entry for entry in found if kind in (None, entry["type"])]


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal, which must be a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
