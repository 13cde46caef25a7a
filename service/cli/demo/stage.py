"""Where the demo stands: the machine, who has which token, what has been made so far."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from service.cli.client import Client
from service.cli.demo.machine import Machine
from service.cli.demo.papers import Paper
from service.cli.demo.people import FIRST_JOB, VENDOR_PEOPLE, Job, Person
from service.cli.demo.proof import refused
from service.cli.demo.where import Where
from service.crypto import onetime
from service.errors import ForbiddenError, NotFoundError

API: Final = "/api/v1"
PAGE_ENTRIES: Final = 1000


def hence(**ahead: float) -> str:
    """A time from now on, as the API takes it: whole seconds, UTC."""
    return (datetime.now(UTC) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Held:
    """A document that Muniment holds, and the paper that it was."""

    id: str
    paper: Paper
    part_id: str
    condition: str
    log_index: int


@dataclass(slots=True)
class Stage:
    """The state of one run. Steps read what earlier steps left here."""

    machine: Machine
    where: Where
    papers: list[Paper]
    job: Job = FIRST_JOB
    tokens: dict[str, str] = field(default_factory=dict)  # by key of the person; "owner"; "<key>@house"
    seats: dict[str, str] = field(default_factory=dict)  # memberships in the engagement, by key
    house: dict[str, str] = field(default_factory=dict)  # memberships for the whole house, by key
    people: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    verifier_key: str = ""
    vendor: str = ""
    engagement: str = ""
    agreement: str = ""
    nda_sha256: str = ""
    parts: list[str] = field(default_factory=list)
    documents: list[Held] = field(default_factory=list)
    grants: dict[tuple[str, str], str] = field(default_factory=dict)  # (person, document) -> grant
    brought: list[Held] = field(default_factory=list)  # what the vendor's people add
    revisions: int = 0  # contents that were taken in, replaced ones too
    task: str = ""
    only_copies: dict[str, str] = field(default_factory=dict)  # document -> SHA-256
    disposal: str = ""
    copy: Machine | None = None  # made before the end
    checkpoint: Path | None = None  # kept before the end
    authenticators: dict[str, tuple[str, int]] = field(default_factory=dict)  # by key: secret, step of the last code
    blobs_before: int = 0  # contents of earlier runs, where those were kept
    figures: dict[str, str] = field(default_factory=dict)  # for the table at the end

    # Asking -----------------------------------------------------------------------------------------------------------

    def as_(self, who: str) -> Client:
        """The client of somebody: his seat in the engagement, unless the key says otherwise."""
        if who not in self.clients:
            self.clients[who] = Client(self.machine.url, self.tokens[who], trust_env=False)
        return self.clients[who]

    def make(self, who: str, path: str, /, **body: Any) -> dict[str, Any]:
        """Make something as somebody, and return what was made."""
        made: dict[str, Any] = self.as_(who).ask("POST", API + path, body=body).json()
        return made

    def step_up(self, who: str) -> None:
        """Let somebody prove that it is he, for what needs it; enrols his authenticator the first time."""
        person = who.partition("@")[0]
        if person not in self.authenticators:
            secret, step = self.make(who, "/me/authenticator")["secret"], int(time.time()) // onetime.STEP_S
            self.make(who, "/me/authenticator/confirmation", code=onetime.code(secret, step))
            self.authenticators[person] = secret, step
        secret, last = self.authenticators[person]
        # A code counts once; of the step to come it counts already.
        step = max(int(time.time()) // onetime.STEP_S, last + 1)
        self.make(who, "/me/step-up", code=onetime.code(secret, step))
        self.authenticators[person] = secret, step

    def read(self, who: str, path: str, /, **query: Any) -> Any:
        """Read a thing, or a page, as somebody."""
        return self.as_(who).read(API + path, **query)

    def change(self, who: str, method: str, path: str, seen: str, /, **body: Any) -> Any:
        """Change something as somebody, in the version that was `seen` under another path."""
        etag = self.as_(who).etag(API + seen)
        sent = body or None
        answer = self.as_(who).ask(method, API + path, body=sent, headers={"If-Match": etag})
        return answer.json() if answer.content else None

    def add(self, who: str, paper: Paper, part_id: str) -> tuple[Held, dict[str, Any]]:
        """Upload a paper as somebody; returns it with its receipt."""
        receipt = (
            self.as_(who)
            .ask(
                "POST",
                f"{API}/engagements/{self.engagement}/documents",
                query={"part_id": part_id, "label": paper.label, "sensitivity": paper.sensitivity},
                content=paper.content,
                headers={"Content-Type": paper.media_type, "Muniment-Title": "UTF-8''" + quote(paper.title, safe="")},
            )
            .json()
        )
        self.revisions += 1
        return Held(receipt["document_id"], paper, part_id, receipt["condition"], receipt["log_index"]), receipt

    def replace(self, who: str, held: Held, content: bytes) -> dict[str, Any]:
        """Replace the content of a document as somebody; returns the receipt."""
        path = f"{API}/documents/{held.id}"
        headers = {"Content-Type": held.paper.media_type, "If-Match": self.as_(who).etag(path)}
        receipt: dict[str, Any] = self.as_(who).ask("PUT", f"{path}/content", content=content, headers=headers).json()
        self.revisions += 1
        return receipt

    def content(self, who: str, document_id: str) -> bytes:
        """Download a document as somebody."""
        return self.as_(who).ask("GET", f"{API}/documents/{document_id}/content").content

    def listed(self, who: str) -> list[str]:
        """The ids of the documents that somebody is shown."""
        path = f"{API}/engagements/{self.engagement}/documents"
        return [item["id"] for item in self.as_(who).items(path, limit=5)]

    def refuse_both(self, person: Person, document_id: str, why: str) -> list[str]:
        """Insist that somebody gets neither card nor bytes of a document; returns the words of each refusal.

        Whose role may never download is told so, whatever id he names; all others get 404.
        """
        downloads = person.share is not None and "download" in person.share.abilities
        words = []
        for path, kind in (("", NotFoundError), ("/content", NotFoundError if downloads else ForbiddenError)):
            with refused(kind, f"{person.name}, {why}, GET {path or 'card'}") as refusal:
                self.as_(person.key).ask("GET", f"{API}/documents/{document_id}{path}")
            words.append(refusal.words)
        return words

    def entries(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """The log from an index on, as the reviewer reads it."""
        following: int | None = after
        while following is not None:
            page = self.read("grace@house", "/audit/entries", after=following, limit=PAGE_ENTRIES)
            yield from page["items"]
            following = page["next"]

    def log_size(self) -> int:
        """How many entries the log has."""
        size: int = self.read("grace@house", "/audit/entries", limit=1)["size"]
        return size

    # Knowing ----------------------------------------------------------------------------------------------------------

    def share(self, person: Person, held: Held, **window: Any) -> str:
        """Hand a document to somebody, as the lead attorney; returns the grant."""
        grant = self.make(
            "dana",
            f"/documents/{held.id}/grants",
            membership_id=self.seats[person.key],
            abilities=list(person.share.abilities if person.share else ("view",)),
            not_after=window.get("not_after") or hence(days=14),
            purpose="For the work on this case.",
        )["id"]
        self.grants[person.key, held.id] = grant
        return str(grant)

    def granted(self, key: str) -> set[str]:
        """What somebody has a live grant on."""
        return {document for holder, document in self.grants if holder == key}

    def out(self, name: str) -> Path:
        """A file among what the demo leaves behind."""
        folder = self.machine.home / "out"
        folder.mkdir(exist_ok=True)
        return folder / name

    def keep_token(self, who: str, token: str) -> None:
        """Note somebody's token; a client with an older one is closed."""
        self.tokens[who] = token
        if who in self.clients:
            self.clients.pop(who).close()

    def forget_token(self, who: str) -> None:
        """Forget a token that nobody needs any more; what is left is printed when the server stays up."""
        del self.tokens[who]
        if who in self.clients:
            self.clients.pop(who).close()

    def turn_to(self, job: Job) -> None:
        """Begin another engagement of the same people: what was made in the last one is left behind."""
        self.leave()
        self.job, self.parts, self.documents = job, [], []
        self.grants.clear()
        self.seats.clear()

    def leave(self) -> None:
        """Close all clients: the server they speak to goes away."""
        while self.clients:
            self.clients.popitem()[1].close()


def person_of(key: str) -> Person:
    """Somebody of the vendor."""
    return next(person for person in VENDOR_PEOPLE if person.key == key)


def sha256(content: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(content).hexdigest()
