"""Who takes part in the demo, and what each of the vendor's people is given. All of them are made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.scoping.actions import Label, Role, Sensitivity, Side, side_of

FIRM: Final = "Harbor & Vale LLP"
ZONE: Final = "America/New_York"
OWNER: Final = ("ruth.vale@harborvale.example", "Ruth Vale")
VENDOR: Final = "Northwind Legal Staffing"


@dataclass(frozen=True, slots=True)
class Job:
    """An engagement, and the matters that parts of go into it: number, client, what it is called inside."""

    number: str
    name: str
    matters: tuple[tuple[str, str, str], ...]


FIRST_JOB: Final = Job(
    "E-2031-004",
    "Delgado and Hartmann: intake and records",
    (
        ("2031-0117", "Maria Delgado", "Delgado, collision of 3 March"),
        ("2031-0131", "Estate of Paul Hartmann", "Hartmann, probate papers"),
    ),
)
OTHER_FIRM: Final = "Pell Ostrow PC"
OTHER_JOB: Final = Job("PO-118", "Ferreira: discovery", ())
OTHER_PEOPLE: Final = (  # owner, lead
    ("amara.pell@pellostrow.example", "Amara Pell"),
    ("jonas.ostrow@pellostrow.example", "Jonas Ostrow"),
)
NEXT_JOB: Final = Job(
    "E-2031-009",
    "Okoye and Brandt: records",
    (
        ("2031-0204", "Chidi Okoye", "Okoye, fall on 9 June"),
        ("2031-0211", "Lena Brandt", "Brandt, dispute over a lease"),
    ),
)


@dataclass(frozen=True, slots=True)
class Share:
    """What the attorney hands to somebody: papers with these labels, up to this sensitivity, in this way."""

    labels: frozenset[Label]
    most: Sensitivity
    abilities: tuple[str, ...]

    def covers(self, label: str, sensitivity: str) -> bool:
        """Say whether a paper is among them."""
        return Label(label) in self.labels and Sensitivity(sensitivity).rank <= self.most.rank


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a seat in the engagement."""

    key: str
    name: str
    email: str
    role: Role
    share: Share | None = None  # vendor people
    house: bool = False  # has a membership for the whole house besides

    @property
    def is_vendor(self) -> bool:
        """Whether he works for the vendor."""
        return side_of(self.role) is Side.VENDOR


_INTAKE = frozenset(
    {
        Label.INTAKE_FORM,
        Label.IDENTIFICATION,
        Label.CONTACT_SHEET,
        Label.CORRESPONDENCE,
        Label.INSURANCE,
        Label.POLICE_REPORT,
    }
)
_CASE = frozenset(Label) - {Label.INTERNAL_NOTE, Label.BILLING, Label.IDENTIFICATION}

CAST: Final = (
    Person("dana", "Dana Whitfield", "dana@harborvale.example", Role.ATTORNEY, house=True),
    Person("marcus", "Marcus Oyelaran", "marcus@harborvale.example", Role.ATTORNEY, house=True),
    Person("grace", "Grace Lindqvist", "grace@harborvale.example", Role.REVIEWER, house=True),
    Person(
        "sofia",
        "Sofia Reyes",
        "sofia@northwind.example",
        Role.PARALEGAL,
        Share(_CASE, Sensitivity.PRIVILEGED, ("view", "download")),
    ),
    Person(
        "ines",
        "Ines Duarte",
        "ines@northwind.example",
        Role.INTAKE_SPECIALIST,
        Share(_INTAKE, Sensitivity.CONFIDENTIAL, ("view", "download")),
    ),
    Person(
        "tomas",
        "Tomas Aguilar",
        "tomas@northwind.example",
        Role.RECEPTIONIST,
        Share(frozenset({Label.CONTACT_SHEET, Label.CORRESPONDENCE}), Sensitivity.ROUTINE, ("view",)),
    ),
)
VENDOR_PEOPLE: Final = tuple(person for person in CAST if person.is_vendor)

NDA: Final = """Confidentiality agreement

1. What I see, hear or receive in this engagement belongs to the clients of Harbor & Vale LLP. I use it for the work I
   was given and for nothing else, and I tell nobody.
2. I keep no copy. What I downloaded I delete when the work is done, and I say so.
3. Whatever I open is recorded, and I may see the record.
"""
NDA_AFTER: Final = NDA + "4. I work on devices that the vendor has checked, and on no others.\n"
WAIVER: Final = "All papers are in our own file; what only Muniment held was downloaded and compared."
