"""The words that policies are written in: actions, roles, labels, sensitivities, abilities, facts and duties.

Rules kept here:

* every word is an enum member, so that an unknown word is an error where it is read and not a silent non-match;
* values are stable for ever: they stand in policy files, database rows and log entries;
* bit numbers are stable for ever too: they stand in rows (`Ability`, `Duty`) and in compiled lists (`Fact`).

It does not say who may do what: that is policies/policy.csv.

Source: docs/words.md; policies/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag, StrEnum, unique
from types import MappingProxyType


@unique
class Action(StrEnum):
    """Everything that can be asked for, alphabetised.

    Grammar: ``resource:verb``; resource is a singular noun of the vocabulary, verb is what the asker would say.

    >>> Action("document:view").resource
    'document'
    """

    ACCESS_REQUEST_ANSWER = "access_request:answer"
    ACCESS_REQUEST_CREATE = "access_request:create"
    ACCESS_REQUEST_LIST = "access_request:list"
    ACCESS_REQUEST_WITHDRAW = "access_request:withdraw"
    AGREEMENT_PUBLISH = "agreement:publish"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_SIGN = "agreement:sign"
    ASK_CREATE = "ask:create"
    ASK_END = "ask:end"
    ASK_LIST = "ask:list"
    AUDIT_CHECKPOINT = "audit:checkpoint"
    AUDIT_EXPORT = "audit:export"
    AUDIT_PROVE = "audit:prove"
    AUDIT_READ = "audit:read"
    AUTHENTICATOR_ENROL = "authenticator:enrol"
    AUTHENTICATOR_REPLACE = "authenticator:replace"
    AUTHENTICATOR_RESET = "authenticator:reset"
    AUTHENTICATOR_USE = "authenticator:use"
    CERTIFICATE_LIST = "certificate:list"
    CERTIFICATE_READ = "certificate:read"
    DISCLOSURE_CREATE = "disclosure:create"
    DISCLOSURE_END = "disclosure:end"
    DISCLOSURE_LIST = "disclosure:list"
    DISPOSAL_APPROVE = "disposal:approve"
    DISPOSAL_READ = "disposal:read"
    DISPOSAL_REQUEST = "disposal:request"
    DISPOSAL_RETURN = "disposal:return"
    DISPOSAL_RUN = "disposal:run"
    DISPOSAL_WITHDRAW = "disposal:withdraw"
    DOCUMENT_ACCESS = "document:access"
    DOCUMENT_ADD = "document:add"
    DOCUMENT_CONFIRM = "document:confirm"
    DOCUMENT_CORRECT = "document:correct"
    DOCUMENT_DOWNLOAD = "document:download"
    DOCUMENT_INSPECT = "document:inspect"
    DOCUMENT_LINEAGE = "document:lineage"
    DOCUMENT_LIST = "document:list"
    DOCUMENT_MOVE = "document:move"
    DOCUMENT_REVISE = "document:revise"
    DOCUMENT_TAKE_BACK = "document:take_back"
    DOCUMENT_TEXT = "document:text"
    DOCUMENT_VIEW = "document:view"
    DUTY_END = "duty:end"
    DUTY_LIST = "duty:list"
    DUTY_RECORD = "duty:record"
    DUTY_WAIVE = "duty:waive"
    EMERGENCY_DECLARE = "emergency:declare"
    EMERGENCY_END = "emergency:end"
    EMERGENCY_LIST = "emergency:list"
    EMERGENCY_REVIEW = "emergency:review"
    ENGAGEMENT_CHANGE = "engagement:change"
    ENGAGEMENT_CREATE = "engagement:create"
    ENGAGEMENT_LIST = "engagement:list"
    ENGAGEMENT_READ = "engagement:read"
    ENGAGEMENT_SHARE = "engagement:share"
    ENGAGEMENT_SHRINK = "engagement:shrink"
    ENGAGEMENT_USAGE = "engagement:usage"
    FIRM_READ = "firm:read"
    GRANT_CREATE = "grant:create"
    GRANT_LIST = "grant:list"
    GRANT_REVOKE = "grant:revoke"
    HOLD_LIFT = "hold:lift"
    HOLD_LIST = "hold:list"
    HOLD_PLACE = "hold:place"
    MATTER_ACCESS = "matter:access"
    MATTER_CHANGE = "matter:change"
    MATTER_CREATE = "matter:create"
    MATTER_LIST = "matter:list"
    MATTER_NAME = "matter:name"
    MATTER_READ = "matter:read"
    ME_READ = "me:read"
    MEMBER_ADD = "member:add"
    MEMBER_END = "member:end"
    MEMBER_LIST = "member:list"
    MEMBER_RESUME = "member:resume"
    MEMBER_SUSPEND = "member:suspend"
    MISDIRECTION_ACKNOWLEDGE = "misdirection:acknowledge"
    MISDIRECTION_CREATE = "misdirection:create"
    MISDIRECTION_LIST = "misdirection:list"
    ON_CALL_CREATE = "on_call:create"
    ON_CALL_END = "on_call:end"
    ON_CALL_LIST = "on_call:list"
    OVERLAY_CHANGE = "overlay:change"
    OVERLAY_READ = "overlay:read"
    PART_ADD = "part:add"
    PART_LIST = "part:list"
    PERSON_ACCESS = "person:access"
    PERSON_ADD = "person:add"
    PERSON_LIST = "person:list"
    PERSON_READ = "person:read"
    PERSON_RESUME = "person:resume"
    PERSON_SUSPEND = "person:suspend"
    POLICY_PREVIEW = "policy:preview"
    POLICY_READ = "policy:read"
    RECEIPT_READ = "receipt:read"
    REGISTER_READ = "register:read"
    SCHEDULE_CREATE = "schedule:create"
    SCHEDULE_END = "schedule:end"
    SCHEDULE_LIST = "schedule:list"
    STANDBY_CREATE = "standby:create"
    STANDBY_END = "standby:end"
    STANDBY_LIST = "standby:list"
    STANDBY_OPEN = "standby:open"
    STANDING_SHARE_CREATE = "standing_share:create"
    STANDING_SHARE_END = "standing_share:end"
    STANDING_SHARE_LIST = "standing_share:list"
    TASK_ACCEPT = "task:accept"
    TASK_CANCEL = "task:cancel"
    TASK_CREATE = "task:create"
    TASK_LIST = "task:list"
    TASK_MEASURE = "task:measure"
    TASK_READ = "task:read"
    TASK_RETURN = "task:return"
    TASK_SUBMIT = "task:submit"
    TITLE_READ = "title:read"
    TOKEN_CREATE = "token:create"
    TOKEN_LINK = "token:link"
    TOKEN_LIST = "token:list"
    TOKEN_REVOKE = "token:revoke"
    VENDOR_ADD = "vendor:add"
    VENDOR_LIST = "vendor:list"
    VENDOR_READ = "vendor:read"
    WALL_LIFT = "wall:lift"
    WALL_LIST = "wall:list"
    WALL_PREVIEW = "wall:preview"
    WALL_RAISE = "wall:raise"
    WITHHELD_LIST = "withheld:list"

    @property
    def resource(self) -> str:
        """Return the noun before the colon."""
        return self.value.partition(":")[0]


DOCUMENT_ACTIONS = frozenset(
    {
        Action.ACCESS_REQUEST_ANSWER,
        Action.ACCESS_REQUEST_CREATE,
        Action.DISCLOSURE_CREATE,
        Action.DISCLOSURE_END,
        Action.DOCUMENT_ACCESS,
        Action.DOCUMENT_ADD,
        Action.DOCUMENT_CONFIRM,
        Action.DOCUMENT_CORRECT,
        Action.DOCUMENT_DOWNLOAD,
        Action.DOCUMENT_INSPECT,
        Action.DOCUMENT_LINEAGE,
        Action.DOCUMENT_LIST,
        Action.DOCUMENT_MOVE,
        Action.DOCUMENT_REVISE,
        Action.DOCUMENT_TAKE_BACK,
        Action.DOCUMENT_TEXT,
        Action.DOCUMENT_VIEW,
        Action.GRANT_CREATE,
        Action.GRANT_LIST,
        Action.GRANT_REVOKE,
        Action.MISDIRECTION_ACKNOWLEDGE,
        Action.MISDIRECTION_CREATE,
        Action.TITLE_READ,
        Action.WITHHELD_LIST,
    }
)
"""Acts on one document: they are decided with its label and sensitivity, all others with `NONE` in both places."""

ASKING_ACTIONS = frozenset({Action.ACCESS_REQUEST_CREATE, Action.WITHHELD_LIST})
"""Acts on documents that one need not see: a yes opens nothing of the document, neither its title nor its bytes."""

OPENING_NOTHING = ASKING_ACTIONS | {Action.DOCUMENT_LINEAGE}
"""Acts on documents whose yes opens neither title nor bytes: a document that was moved has a lineage, and no more."""

NONE = "-"
"""What stands in the place of a label or sensitivity where the act has no document."""


@unique
class Side(StrEnum):
    """Which side of the engagement a role works on."""

    FIRM = "firm"
    VENDOR = "vendor"


@unique
class Role(StrEnum):
    """The role of a membership, alphabetised; `side_of` tells its side."""

    ATTORNEY = "attorney"
    BILLING_CLERK = "billing_clerk"
    CASE_MANAGER = "case_manager"
    COORDINATOR = "coordinator"
    INTAKE_SPECIALIST = "intake_specialist"
    LEGAL_ASSISTANT = "legal_assistant"
    OWNER = "owner"
    PARALEGAL = "paralegal"
    RECEPTIONIST = "receptionist"
    REVIEWER = "reviewer"
    VENDOR_MANAGER = "vendor_manager"


FIRM_ROLES = frozenset({Role.ATTORNEY, Role.COORDINATOR, Role.OWNER, Role.REVIEWER})
VENDOR_ROLES = frozenset(Role) - FIRM_ROLES


def side_of(role: str) -> Side:
    """Return the side of a role.

    Raises:
        ValueError: the word is not a role.
    """
    return Side.FIRM if Role(role) in FIRM_ROLES else Side.VENDOR


@unique
class Label(StrEnum):
    """What kind of paper a document is, in the order in which a case brings them."""

    INTAKE_FORM = "intake_form"
    IDENTIFICATION = "identification"
    CONTACT_SHEET = "contact_sheet"
    CORRESPONDENCE = "correspondence"
    MEDICAL_RECORD = "medical_record"
    POLICE_REPORT = "police_report"
    INSURANCE = "insurance"
    COURT_FILING = "court_filing"
    PLEADING = "pleading"
    DISCOVERY = "discovery"
    EXHIBIT = "exhibit"
    WITNESS_STATEMENT = "witness_statement"
    BILLING = "billing"
    SETTLEMENT = "settlement"
    INTERNAL_NOTE = "internal_note"
    OTHER = "other"


@unique
class Sensitivity(StrEnum):
    """How far a document may travel, least sensitive first; `rank` is the order.

    `PRIVILEGED` reaches vendor people by explicit named grant only; `ATTORNEY_ONLY` never reaches a vendor.
    """

    ROUTINE = "routine"
    CONFIDENTIAL = "confidential"
    PRIVILEGED = "privileged"
    ATTORNEY_ONLY = "attorney_only"

    @property
    def rank(self) -> int:
        """Return 0 for the least sensitive word, one more for each next."""
        return SENSITIVITY_RANK[self.value]


SENSITIVITY_RANK: Mapping[str, int] = MappingProxyType({word.value: rank for rank, word in enumerate(Sensitivity)})

UNCONFIRMED_SENSITIVITY = Sensitivity.CONFIDENTIAL
"""What a paper counts as until an attorney has looked at it."""

OWN_LIFE_S = 72 * 3600
"""How long, in seconds, an adder keeps sight of a paper that nobody has confirmed."""

EXTENSION_GRACE_S = 15 * 60
"""How long, in seconds, a grant that ended by itself may still be asked to go on."""


class Withheld(StrEnum):
    """What an engagement declares of documents that a member has no grant on."""

    INVISIBLE = "invisible"
    MAY_BE_ASKED_FOR = "may_be_asked_for"


class Ability(IntFlag):
    """What a grant lets its holder do with a document; every grant includes `VIEW`."""

    VIEW = 1
    TEXT = 2
    DOWNLOAD = 4
    REVISE = 8


class Duty(IntFlag):
    """What must be in force before access opens: one bit each, kept in this order in rows."""

    NDA = 1
    TRAINING = 2
    BACKGROUND_CHECK = 4
    VENDOR_AGREEMENT = 8
    BAA = 16
    VENDOR_REVIEW = 32
    INSURANCE = 64
    CLIENT_CONSENT = 128
    CONFLICT_CHECK = 256
    UNDERTAKING = 512


OWED_BY_ENGAGEMENT = Duty.TRAINING | Duty.BACKGROUND_CHECK | Duty.VENDOR_AGREEMENT | Duty.VENDOR_REVIEW | Duty.INSURANCE
OWED_BY_MATTER = Duty.BAA | Duty.CLIENT_CONSENT | Duty.CONFLICT_CHECK | Duty.UNDERTAKING
"""Who demands which duties. What is demanded by neither is always owed: the NDA."""

WAIVABLE = Duty.TRAINING | Duty.BACKGROUND_CHECK | Duty.INSURANCE | Duty.VENDOR_REVIEW
"""What may be waived, once for `WAIVER_S`: never what protects the client's secret or what the law asks for."""

WAIVER_S = 72 * 3600
"""How long, in seconds, a waiver stands."""


class Fact(IntFlag):
    """What is true of (asker, act, thing, moment), computed from rows read in the deciding transaction.

    * `LIVE` the engagement runs now;
    * `DUTIES` every duty that this role, action and label need, and this engagement and matter demand, is in force;
    * `ASSIGNED` vendor people: a live grant with the ability that the act needs (to ask for access: also one that ended
      by itself less than 15 minutes ago); firm people: named on the matter's
      team; for acts on an engagement: the asker's membership belongs to it;
    * `ASKED` a live ask for papers of this label in this matter part;
    * `OWN` added by this membership, nobody has confirmed it yet, less than 72 hours old; to be told what lies hidden
      in it: and made for a task of its adder's own;
    * `WINDOW` within the membership's own dates; and for vendor people, every schedule in force is open;
    * `STEPPED_UP` the token's holder proved with a code of his authenticator, less than 10 minutes ago, that it is he;
    * `BREAK_GLASS` this membership opened the matter in an emergency that has not ended;
    * `SECONDED` somebody else, with a token of their own, asked for this act before; for acts on a person's affairs: it
      is somebody else's;
    * `NAMED` for acts on an engagement: named on the team of a matter that has a part in it, no wall between;
    * `KNOWN` confirmed, no grant of the asker's on it, and the engagement declares that it may be asked for;
    * `ON_CALL` leads or deputises the engagement, or is on call for it now;
    * `DISCLOSED` an attorney opened the title of this document to this membership, and that is in force;
    * `WALLED`, `SUSPENDED` an explicit deny; `NARROWED` the token was made for less than this act.
    """

    LIVE = 1
    DUTIES = 2
    ASSIGNED = 4
    ASKED = 8
    OWN = 16
    WINDOW = 32
    STEPPED_UP = 64
    SECONDED = 128
    BREAK_GLASS = 256
    WALLED = 512
    SUSPENDED = 1024
    NARROWED = 2048
    NAMED = 4096
    KNOWN = 8192
    ON_CALL = 16384
    DISCLOSED = 32768


DENYING = Fact.WALLED | Fact.SUSPENDED | Fact.NARROWED
"""Facts that only deny rules may name: more of them never allows more."""

MONOTONE = ~DENYING
"""Facts that only allow rules may name: more of them never denies."""


def words_of(mask: IntFlag) -> tuple[str, ...]:
    """Return the words of a mask of facts, abilities or duties, sorted.

    >>> words_of(Ability.VIEW | Ability.DOWNLOAD)
    ('download', 'view')
    """
    return tuple(sorted(str(bit.name).lower() for bit in mask))
