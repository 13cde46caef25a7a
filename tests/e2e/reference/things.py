"""The things that the reference model knows, in DESIGN's words. Times are UTC seconds, half-open.

What each role may hold is policies/README.md, "Why each role has what it has".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

MINUTE_S: Final = 60
DAY_S: Final = 86_400
OWN_S: Final = 72 * 3600
WAIVER_S: Final = 72 * 3600
STEPPED_UP_S: Final = 600
STEP_S: Final = 30  # of an authenticator's codes
ASKED_DAYS: Final = 7  # a request for access waits so long for its answer
LATELY_S: Final = 900  # so long after a grant has ended by itself more of it may be asked for
NEVER: Final = 10**12
ORDER: Final = ("routine", "confidential", "privileged", "attorney_only")
LABELS: Final = ("contact_sheet", "correspondence", "medical_record", "pleading", "billing")
HOLDS: Final[dict[str, dict[str, str]]] = {  # role -> label -> the highest sensitivity that may be shared with it
    "paralegal": dict.fromkeys(LABELS, "privileged"),
    "case_manager": {
        "contact_sheet": "confidential",
        "correspondence": "privileged",
        "medical_record": "privileged",
        "billing": "confidential",
    },
    "legal_assistant": dict.fromkeys(("contact_sheet", "correspondence", "pleading"), "confidential"),
    "intake_specialist": dict.fromkeys(("contact_sheet", "correspondence"), "confidential"),
    "receptionist": {"contact_sheet": "confidential", "correspondence": "routine"},
    "billing_clerk": {"billing": "privileged"},
    "vendor_manager": {},
    "coordinator": dict.fromkeys(LABELS, "confidential"),
}
ADDS: Final[dict[str, tuple[str, ...]]] = {  # role -> labels that it may be asked for
    "paralegal": LABELS,
    "case_manager": ("contact_sheet", "correspondence", "medical_record", "billing"),
    "legal_assistant": ("contact_sheet", "correspondence", "pleading"),
    "intake_specialist": ("contact_sheet", "correspondence", "medical_record"),
    "receptionist": ("contact_sheet", "correspondence"),
    "billing_clerk": ("billing",),
    "vendor_manager": (),
    "coordinator": LABELS,
}
FIRM_ROLES: Final = ("owner", "attorney", "coordinator", "reviewer")
WORKS_WITH_PAPERS: Final = tuple(role for role in HOLDS if role not in {"vendor_manager", "coordinator"})
CARRIES_NOTHING_AWAY: Final = "receptionist"
DEEPER: Final = ("list", "view", "text", "download")  # each means the ones before it
BY_LABEL: Final = ("routine", "confidential")  # nobody is handed more than that by its label
PRESETS: Final = {
    "read": frozenset({"view"}),
    "work": frozenset({"view", "download"}),
    "make": frozenset({"view"}),
}
OF_PERSON: Final = ("training",)
OF_VENDOR: Final = ("vendor_agreement",)
OF_MATTER: Final = ("client_consent",)
VENDOR: Final = "the vendor"


@dataclass(frozen=True)
class Stricter:
    """A row of an overlay: whoever may not do this may not do what means it either."""

    roles: tuple[str, ...]
    act: str  # of DEEPER
    labels: tuple[str, ...]
    floor: str  # this sensitivity and all above it
    needs: str  # never, assigned, stepped_up


OVERLAYS: Final = {  # as it is written -> what it says
    "paralegal,document:download,medical_record,*,stepped_up": Stricter(
        ("paralegal",), "download", ("medical_record",), "routine", "stepped_up"
    ),
    "paralegal,document:view,contact_sheet correspondence,*,stepped_up": Stricter(
        ("paralegal",), "view", ("contact_sheet", "correspondence"), "routine", "stepped_up"
    ),
    "paralegal case_manager,document:view,*,privileged,never": Stricter(
        ("paralegal", "case_manager"), "view", LABELS, "privileged", "never"
    ),
    "*,document:list,contact_sheet medical_record,confidential,never": Stricter(
        WORKS_WITH_PAPERS, "list", ("contact_sheet", "medical_record"), "confidential", "never"
    ),
    "*,document:list,*,*,assigned": Stricter(WORKS_WITH_PAPERS, "list", LABELS, "routine", "assigned"),
}


@dataclass
class Deal:
    """An engagement."""

    starts: int
    ends: int
    parts: dict[str, str]  # part -> matter
    running: bool = True
    texts: list[int] = field(default_factory=list)  # when each NDA text bites
    owed: frozenset[str] = frozenset()  # of people and vendor, beside the NDA
    overlay: tuple[str, ...] = ()  # of OVERLAYS
    may_be_asked_for: bool = False  # what is withheld
    brake: tuple[int, int] | None = None  # documents an hour: slower from, suspended over


@dataclass
class Seat:
    """A membership."""

    firm: str
    person: str
    role: str
    deal: str | None  # None: the whole house
    starts: int
    ends: int = NEVER
    suspended: bool = False
    has_left: bool = False  # somebody ended it: the tokens ended with it
    stepped_up_until: int = 0
    opened: list[tuple[int, str, int]] = field(default_factory=list)  # minute, paper, revision: counted by the brake

    @property
    def is_firm(self) -> bool:
        return self.role in FIRM_ROLES


@dataclass
class Paper:
    """A document."""

    firm: str
    deal: str
    matter: str
    label: str
    sensitivity: str
    state: str = "confirmed"
    added_by: str | None = None  # a seat; None: an attorney
    added_at: int = 0
    revision: int = 1
    content: bytes = b"a paper"
    was_moved: bool = False  # here: it came by no adding, so nobody was promised it


@dataclass
class Share:
    """A grant; what it was made with ends it again."""

    seat: str
    paper: str
    abilities: frozenset[str]
    begins: int
    ends: int
    revoked: bool = False
    made_with: str | None = None  # a task, standing or standby share; None: by hand
    bulk: str | None = None

    def reaches(self, abilities: frozenset[str], begins: int, ends: int) -> bool:
        return abilities <= self.abilities and self.begins <= begins and ends <= self.ends


@dataclass
class Ask:
    """What a member is asked for."""

    seat: str
    part: str
    label: str
    begins: int
    ends: int
    ended: bool = False
    made_with: str | None = None  # a task


@dataclass
class Task:
    """What a member is asked to do."""

    seat: str
    deal: str
    part: str
    preset: str
    labels: tuple[str, ...]
    papers: tuple[str, ...]  # handed over
    given_at: int
    due: int
    ends: int  # what it opened is shut then at the latest
    state: str = "open"
    named: dict[str, int] = field(default_factory=dict)  # by the last submission: paper -> revision
    ever: set[str] = field(default_factory=set)  # by any submission

    @property
    def is_live(self) -> bool:
        return self.state in {"open", "returned", "submitted"}

    @property
    def waits_for_member(self) -> bool:
        return self.state in {"open", "returned"}


@dataclass
class Evidence:
    """That a duty is met, or is waived: of a person, the vendor or a matter, in one engagement."""

    deal: str
    subject: str
    duty: str
    begins: int
    ends: int
    waived: bool = False


@dataclass
class Schedule:
    """Hours and places for a vendor's members of an engagement, all or one."""

    deal: str
    seat: str | None
    hours: tuple[frozenset[int], int, int, str] | None  # days (0: Monday), from and to which minute, zone
    network: str | None
    begins: int
    ends: int


@dataclass
class Standing:
    """A standing share: papers to come of a part."""

    deal: str
    part: str
    seat: str | None  # a member,
    role: str | None  # or all with a role
    labels: tuple[str, ...]
    sensitivity: str
    abilities: frozenset[str]
    begins: int
    ends: int


@dataclass
class Standby:
    """A standby share: sealed, opened once by its member."""

    seat: str
    deal: str
    part: str
    papers: tuple[str, ...]
    abilities: frozenset[str]
    lasts_s: int
    valid_until: int
    sealed_at: int
    closes: int | None = None  # None: never opened
    ended: bool = False


@dataclass
class Misdirection:
    """That a paper was not meant for a person: closed to him, until an attorney says that it was."""

    person: str
    paper: str
    said_at: int
    acknowledged: bool = False
    meant: bool = False


@dataclass
class Request:
    """A request for access."""

    seat: str
    paper: str
    abilities: frozenset[str]
    ends: int
    lapses: int
    state: str = "open"


def at_most(sensitivity: str, highest: str) -> bool:
    return ORDER.index(sensitivity) <= ORDER.index(highest)


def end_of_notice(now: int) -> int:
    """The end of the third working day after this one."""
    day, left = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0), 3
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= 5  # Monday to Friday
    return int((day + timedelta(days=1)).timestamp())
