"""The tables, as SQLAlchemy Core metadata. Migrations must arrive at exactly this (a test compares them).

Rules kept here:

* only three column types: Text, BigInteger, LargeBinary, so that a row read on the driver's cursor needs no conversion
  (yes/no is BigInteger 0/1);
* times are UTC seconds, half-open ``[from, until)``; what has no end holds `FOREVER`; entry times are milliseconds;
* no name stands in the clear: a column whose comment says *sealed* holds a sealed field whose key is named there;
* every row names its firm; nothing is compared across firms.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

FOREVER: Final = 253_402_300_800  # 9999-12-31T24:00:00Z, in seconds
ANY: Final = ""  # in place of an id: holds for every one

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(**kw: Any) -> Column[str]:
    return Column("id", Text, primary_key=True, **kw)


def _ref(name: str, target: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{target}.id"), nullable=null)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _int(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _bytes(name: str, comment: str | None = None, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null, comment=comment)


# The log ------------------------------------------------------------------------------------------------------------

logs = Table(
    "logs",
    metadata,
    _id(),
    _text("kind"),  # firm | deployment
    _text("origin"),  # first line of its checkpoints
    _int("size"),
    _int("time_ms"),  # of the last entry
    _text("verifier_key"),
    _text("key_id"),  # key object that wraps the signing key
    _bytes("signing_key", "Ed25519 seed, wrapped by key_id"),
    _int("created_at"),
    CheckConstraint("kind IN ('firm', 'deployment')", name="kind"),
)

log_entries = Table(
    "log_entries",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), nullable=False),
    _int("idx"),
    _bytes("body", "canonical JSON as written, at most 4096 bytes"),
    _bytes("leaf_hash", "RFC 6962 leaf hash, 32 bytes"),
    _text("engagement_id"),
    _bytes("payload", "names, sealed under the field key of payload_holder", null=True),
    _text("payload_holder", null=True),  # id of the firm, engagement, part or person whose key seals it
    PrimaryKeyConstraint("log_id", "idx"),
    Index(None, "log_id", "engagement_id", "idx"),
)

log_tiles = Table(
    "log_tiles",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), nullable=False),
    _int("level"),
    _int("idx"),
    _bytes("hashes", "256 hashes of 32 bytes"),
    PrimaryKeyConstraint("log_id", "level", "idx"),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), nullable=False),
    _int("size"),
    _bytes("note", "signed note"),
    _int("signed_at"),
    PrimaryKeyConstraint("log_id", "size"),
)

log_signers = Table(
    "log_signers",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), primary_key=True),
    _int("size"),
    _int("time_ms"),
    _bytes("frontier", "the signer's own memory of the tree"),
)

log_chains = Table(
    "log_chains",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), nullable=False),
    _text("engagement_id"),
    _int("length"),
    _bytes("last_leaf", "leaf hash of the engagement's newest entry"),
    PrimaryKeyConstraint("log_id", "engagement_id"),
)

log_intents = Table(
    "log_intents",
    metadata,
    Column("log_id", Text, ForeignKey("logs.id"), nullable=False),
    _int("idx"),  # of the entry that announced it; the row goes when the outcome is written
    _text("instance"),  # the process that announced it
    _text("engagement_id"),
    PrimaryKeyConstraint("log_id", "idx"),
)

# The firm's world ---------------------------------------------------------------------------------------------------

firms = Table(
    "firms",
    metadata,
    Column("id", Text, ForeignKey("logs.id"), primary_key=True),  # a firm's log has the firm's id
    _text("key_id"),
    _bytes("field_key", "wrapped by key_id"),
    _bytes("name", "sealed, firm"),
    _text("zone"),  # IANA time zone
    _int("created_at"),
)

vendors = Table(
    "vendors",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _bytes("name", "sealed, firm"),
    _int("created_at"),
    Index(None, "firm_id"),
)

people = Table(
    "people",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _text("side"),  # firm | vendor
    _ref("vendor_id", "vendors", null=True),
    _text("key_id"),
    _bytes("field_key", "wrapped by key_id"),
    _bytes("email_index", "HMAC of the normalised address under the firm's field key"),
    _bytes("email", "sealed, person"),
    _bytes("name", "sealed, person"),
    _int("created_at"),
    CheckConstraint("side IN ('firm', 'vendor')", name="side"),
    CheckConstraint("(side = 'vendor') = (vendor_id IS NOT NULL)", name="vendor"),
    UniqueConstraint("firm_id", "email_index"),
)

matters = Table(
    "matters",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _text("number"),
    _bytes("client", "sealed, firm"),
    _int("created_at"),
    _int("version"),
    Column("owed", BigInteger, nullable=False, server_default="0"),  # bits of scoping.actions.OWED_BY_MATTER
    CheckConstraint("(owed & 912) = owed", name="owed"),
    UniqueConstraint("firm_id", "number"),
)

matter_team = Table(
    "matter_team",
    metadata,
    _ref("matter_id", "matters"),
    _ref("person_id", "people"),
    _ref("firm_id", "firms"),
    _int("since"),
    _int("until"),
    PrimaryKeyConstraint("matter_id", "person_id"),
    Index(None, "person_id", "matter_id"),
)

engagements = Table(
    "engagements",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("vendor_id", "vendors"),
    _text("number"),
    _text("status"),  # running | closing | disposed
    _text("key_id"),
    _bytes("field_key", "wrapped by key_id"),
    _bytes("name", "sealed, engagement"),
    _int("starts_at"),
    _int("ends_at"),
    _ref("lead_id", "people"),
    _ref("deputy_id", "people", null=True),
    _int("created_at"),
    _int("version"),
    Column("withheld", Text, nullable=False, server_default="invisible"),  # what is declared of documents not granted
    Column("overlay", Text, nullable=False, server_default=text("''")),  # rows that take away; empty: none
    # From how much opened within an hour one member is slowed, and from how much he is suspended.
    Column("slow_documents", BigInteger, nullable=False, server_default="60"),
    Column("slow_bytes", BigInteger, nullable=False, server_default="1073741824"),
    Column("stop_documents", BigInteger, nullable=False, server_default="200"),
    Column("stop_bytes", BigInteger, nullable=False, server_default="4294967296"),
    Column("owed", BigInteger, nullable=False, server_default="0"),  # bits of scoping.actions.OWED_BY_ENGAGEMENT
    CheckConstraint("status IN ('running', 'closing', 'disposed')", name="status"),
    CheckConstraint("(owed & 110) = owed", name="owed"),
    CheckConstraint("withheld IN ('invisible', 'may_be_asked_for')", name="withheld"),
    CheckConstraint("starts_at < ends_at", name="dates"),
    UniqueConstraint("firm_id", "number"),
)

parts = Table(
    "parts",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("matter_id", "matters"),
    _text("key_id"),
    _bytes("field_key", "wrapped by key_id"),
    _bytes("caption", "sealed, part: how the matter is called inside this engagement"),
    _int("created_at"),
    UniqueConstraint("engagement_id", "matter_id"),
)

memberships = Table(
    "memberships",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("person_id", "people"),
    _ref("engagement_id", "engagements", null=True),  # null: firm side only, the whole house
    _text("side"),
    _text("role"),
    _int("starts_at"),
    _int("ends_at"),
    _int("suspended"),  # 0 | 1
    _int("created_at"),
    _int("version"),
    _int("braked_at", null=True),  # suspended then by the brake, and not resumed since; with what he had opened
    _int("braked_documents", null=True),
    _int("braked_bytes", null=True),
    _int("contained_at", null=True),  # suspended then with all that its person has, and not resumed since
    _text("matter_id", null=True),  # a reviewer's for the whole house that is limited to this matter
    CheckConstraint("side = 'firm' OR engagement_id IS NOT NULL", name="vendor_engagement"),
    Index(None, "person_id"),
    Index(None, "engagement_id"),
)

tokens = Table(
    "tokens",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("person_id", "people"),
    _ref("membership_id", "memberships"),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the random secret"),
    _text("scopes"),  # "*" or resources separated by spaces
    _int("created_at"),
    _int("expires_at"),
    _int("revoked_at"),
    _text("made_with", null=True),  # another token's id; NULL: made at the machine
    # Its holder proved that it is he, and until then it counts; 0: never.
    Column("stepped_up_until", BigInteger, nullable=False, server_default="0"),
    _text("seat_id", null=True),  # made by choosing this seat of a sign-in; no reference: that row is in another world
    Index(None, "membership_id"),
    Index(None, "made_with"),
    Index(None, "seat_id"),
)

# A person's sign-in across firms, in the deployment's own world: whose log `log_id` names sees it, and no firm.
signins = Table(
    "signins",
    metadata,
    _id(),
    _ref("log_id", "logs"),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the random secret"),
    _int("created_at"),
    _int("expires_at"),
    _int("ended_at"),
)

# Memberships that a sign-in may act in, ids only. Nothing refers into a firm's world: the worlds stay apart.
seats = Table(
    "seats",
    metadata,
    _id(),
    _ref("log_id", "logs"),
    _ref("signin_id", "signins"),
    _text("of_firm"),
    _text("of_membership"),
    _text("of_token"),  # the one that was shown as proof: with it the seat closes
    _int("added_at"),
    _int("removed_at"),
    Index(None, "signin_id"),
)

# What shows a person the codes by which he proves that it is he: one in force at most, others to come or over.
authenticators = Table(
    "authenticators",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("person_id", "people"),
    _bytes("secret", "base32, sealed, person"),
    _int("enrolled_at"),
    _int("confirmed_at"),  # FOREVER: not yet
    _int("ended_at"),  # replaced or reset; FOREVER: by nobody
    _int("last_step"),  # of time, whose code was taken last: that and earlier ones count no more
    _text("wrong_at"),  # UTC seconds of the last wrong codes, separated by spaces
    Index(None, "person_id"),
)

# Agreements and duties ----------------------------------------------------------------------------------------------

agreements = Table(
    "agreements",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _text("kind"),  # nda
    _int("created_at"),
    _int("version"),  # ETag, and the number of the newest text
    UniqueConstraint("engagement_id", "kind"),
)

agreement_versions = Table(
    "agreement_versions",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("agreement_id", "agreements"),
    _int("number"),
    _bytes("body", "the text, sealed, firm"),
    _text("sha256"),  # hex, of the exact UTF-8 text shown
    _ref("published_by", "people"),
    _int("published_at"),
    _int("bites_at"),
    UniqueConstraint("agreement_id", "number"),
)

signatures = Table(
    "signatures",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("version_id", "agreement_versions"),
    _ref("person_id", "people"),
    _ref("membership_id", "memberships"),
    _text("sha256"),
    _bytes("typed_name", "sealed, person"),
    _int("signed_at"),
    UniqueConstraint("version_id", "person_id"),
)

duties = Table(
    "duties",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _int("kind"),  # one bit of scoping.actions.Duty
    _text("subject_id"),  # a person, vendor or matter
    _text("engagement_id"),  # ANY where it holds for every engagement
    _text("evidence_id"),  # what it rests on: a signature's id; its own, where the firm recorded or waived it
    _text("evidence_sha256"),  # of the text signed; else the commitment of the sealed payload that holds the note
    _int("valid_from"),
    _int("valid_until"),
    _bytes("note", "the evidence, or why it is waived, sealed, firm", null=True),
    _int("waived", null=True),  # 1: in force without evidence; so that there is one a subject, kind and engagement
    _text("recorded_by", null=True),  # a membership; NULL: who signed
    Column("version", BigInteger, nullable=False, server_default="1"),
    CheckConstraint("waived = 1", name="waived"),
    Index(None, "subject_id", "engagement_id"),
    Index(None, "evidence_id"),
    Index(None, "waived", "engagement_id", "subject_id", "kind", unique=True),
)

# Documents ----------------------------------------------------------------------------------------------------------

documents = Table(
    "documents",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("part_id", "parts"),
    _ref("matter_id", "matters"),
    _int("number"),  # within the engagement
    _text("label"),
    _text("sensitivity"),
    _text("state"),  # to_look_at | confirmed | taken_back | moved | destroyed
    _bytes("title", "sealed, part"),
    _text("revision_id"),  # the current one
    _ref("added_by", "memberships"),
    _int("added_at"),
    _int("version"),
    CheckConstraint("state IN ('to_look_at', 'confirmed', 'taken_back', 'moved', 'destroyed')", name="state"),
    UniqueConstraint("engagement_id", "number"),
    Index(None, "matter_id", "id"),
    Index(None, "added_by", "id"),
    Index(None, "part_id", "id"),
)

revisions = Table(
    "revisions",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("document_id", "documents"),
    _int("number"),
    _bytes("wrapped_key", "wrapped by the part's key"),
    _bytes("header", "first 56 bytes of the sealed message: salt and commitment"),
    _text("blob_id"),
    _int("size_bytes"),  # of the plaintext
    _bytes("sha256", "of the plaintext in hex, sealed, part"),
    _text("media_type"),
    _text("condition"),  # readable | empty | unreadable | mismatched | locked | unexamined
    _int("pages", null=True),
    _text("hidden", null=True),  # what lies hidden in it, as service/render/hidden.py spells it; NULL: not looked into
    _ref("added_by", "memberships"),
    _int("added_at"),
    _int("log_index"),  # the entry that is its receipt
    _text("moved_from", null=True),  # the revision that this one is sealed anew from, of the document that was moved
    UniqueConstraint("document_id", "number"),
    Index(None, "added_by"),
)

# Which document goes on as which (docs/adr/0024-moving.md).
moves = Table(
    "moves",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("from_document_id", "documents"),
    _ref("to_document_id", "documents"),
    _ref("moved_by", "memberships"),
    _int("moved_at"),
    UniqueConstraint("from_document_id"),
    UniqueConstraint("to_document_id"),
)

# Files on their way, which may take several requests and outlive the process (docs/adr/0017-resumable-uploads.md).
uploads = Table(
    "uploads",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("part_id", "parts"),
    _ref("membership_id", "memberships"),  # who began it: nobody else may go on
    _text("label"),
    _text("sensitivity", null=True),
    _bytes("purpose", "Upload-Metadata as it was sent, sealed, part"),
    _int("size_bytes"),  # of the whole plaintext
    _int("received_bytes"),  # in pieces that are committed
    _int("created_at"),
    _int("expires_at"),
    _text("document_id", null=True),  # what it became
    Index(None, "membership_id"),
    Index(None, "expires_at"),
)

upload_pieces = Table(
    "upload_pieces",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("upload_id", "uploads"),
    _int("start"),  # of its first byte in the file
    _int("size_bytes"),  # of the plaintext
    _bytes("wrapped_key", "wrapped by the part's key"),
    _bytes("header", "first 56 bytes of the sealed message"),
    _text("blob_id"),
    UniqueConstraint("upload_id", "start"),
)

# What vendor members opened within the last hour, for the brakes; older rows mean nothing and are deleted.
openings = Table(
    "openings",
    metadata,
    _ref("membership_id", "memberships"),
    _int("minute"),  # UTC seconds divided by 60
    _text("revision_id"),  # of a document that was counted then; ANY: all bytes of the minute
    _ref("firm_id", "firms"),
    _int("counted"),  # 1: a document; 0: bytes
    _int("size_bytes"),  # announced, less what is known not to have left; of a document 0
    PrimaryKeyConstraint("membership_id", "minute", "revision_id"),
    Index(None, "firm_id", "minute"),
    sqlite_with_rowid=False,  # it is read and written with every body: one tree, not two
)

grants = Table(
    "grants",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),
    _ref("document_id", "documents"),
    _int("abilities"),  # bits of scoping.actions.Ability
    _int("not_before"),
    _int("not_after"),
    _int("revoked_at"),
    _bytes("purpose", "sealed, part"),
    _ref("granted_by", "memberships"),
    _int("granted_at"),
    _int("version"),
    _text("task_id", null=True),  # made with this task, and ended with it; NULL: made by itself
    _text("bulk_id", null=True),  # made with others in one act
    _text("standing_id", null=True),  # made by this standing share, and ended with it
    _text("standby_id", null=True),  # made by opening this standby share, and ended with it
    CheckConstraint("not_before < not_after", name="dates"),
    # With all that a decision asks of a grant, so that it never has to look up the row.
    Index("ix_grants_given", "membership_id", "document_id", "revoked_at", "not_after", "not_before", "abilities"),
    Index(None, "document_id"),
)

# Acts that made many grants at once; which ones, the grants say.
bulk_grants = Table(
    "bulk_grants",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),  # to whom
    _int("grants"),  # how many
    _ref("made_by", "memberships"),
    _int("made_at"),
)

# What is handed out of a part whenever a paper of these labels is confirmed (docs/adr/0023-sharing-many.md).
standing_shares = Table(
    "standing_shares",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("part_id", "parts"),
    _ref("membership_id", "memberships", null=True),  # to this member
    _text("role", null=True),  # or to every member with this role
    _text("labels"),  # separated by spaces
    _text("sensitivity"),  # at most this
    _int("abilities"),  # bits of scoping.actions.Ability
    _int("not_before"),
    _int("not_after"),
    _int("ended_at"),
    _bytes("purpose", "sealed, part"),
    _ref("made_by", "memberships"),
    _int("made_at"),
    _int("version"),
    CheckConstraint("not_before < not_after", name="dates"),
    CheckConstraint("(membership_id IS NULL) <> (role IS NULL)", name="recipient"),
    CheckConstraint("sensitivity IN ('routine', 'confidential')", name="sensitivity"),
    Index(None, "part_id"),
    Index(None, "engagement_id", "id"),
)

asks = Table(
    "asks",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),
    _ref("part_id", "parts"),
    _text("label"),
    _bytes("instructions", "sealed, part"),
    _int("not_before"),
    _int("not_after"),
    _int("ended_at"),
    _ref("asked_by", "memberships"),
    _int("version"),
    _text("task_id", null=True),  # made with this task, and ended with it; NULL: made by itself
    CheckConstraint("not_before < not_after", name="dates"),
    Index(None, "membership_id", "part_id"),
)

# What members ask to see, to do, or to keep longer. Whether one has lapsed is told by its times and places, not here.
access_requests = Table(
    "access_requests",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),
    _ref("part_id", "parts"),
    _ref("document_id", "documents"),
    _text("kind"),  # access | extension
    _int("abilities"),  # bits of scoping.actions.Ability
    _int("not_after"),  # until when
    _bytes("reason", "sealed, part"),
    _int("asked_at"),
    _int("lapses_at"),
    _text("state"),  # open | as_asked | with_less | refused | withdrawn
    _ref("answered_by", "memberships", null=True),
    _int("answered_at", null=True),
    _bytes("note", "what the answer says, sealed, part", null=True),
    _ref("grant_id", "grants", null=True),  # what a yes made
    _int("version"),
    CheckConstraint("kind IN ('access', 'extension')", name="kind"),
    CheckConstraint("state IN ('open', 'as_asked', 'with_less', 'refused', 'withdrawn')", name="state"),
    Index(None, "membership_id", "state"),
    Index(None, "engagement_id", "id"),
    Index(None, "firm_id", "state", "lapses_at"),
)

misdirections = Table(
    "misdirections",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("document_id", "documents"),
    _ref("membership_id", "memberships"),  # who said that it was not meant for him
    _ref("person_id", "people"),  # to whom it is closed, whatever membership he shows
    _bytes("note", "sealed, part", null=True),
    _int("said_at"),
    _int("closed_until"),  # FOREVER, or when an attorney said that it was meant for him
    _ref("acknowledged_by", "memberships", null=True),
    _int("acknowledged_at", null=True),
    _bytes("answer", "what the member is told, sealed, part", null=True),
    _int("version"),
    Index(None, "document_id", "person_id", "closed_until"),
    Index(None, "engagement_id", "id"),
    Index(None, "firm_id", "acknowledged_at"),
)

disclosures = Table(
    "disclosures",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("document_id", "documents"),
    _ref("membership_id", "memberships"),  # the reviewer's, to whom the title is opened
    _bytes("reason", "sealed, part"),
    _int("not_before"),
    _int("not_after"),
    _int("ended_at"),
    _ref("made_by", "memberships"),
    _int("version"),
    Index(None, "document_id", "membership_id", "not_after"),
    Index(None, "membership_id", "engagement_id", "document_id"),
    Index(None, "engagement_id", "id"),
)

on_calls = Table(
    "on_calls",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("person_id", "people"),
    _int("starts_at"),
    _int("ends_at"),
    _int("created_at"),
    _int("version"),
    Index(None, "engagement_id", "person_id"),
)

# What members are asked to do ---------------------------------------------------------------------------------------

tasks = Table(
    "tasks",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),  # whose task it is
    _ref("part_id", "parts"),
    _text("preset"),  # read | work | make
    _text("labels"),  # of the papers expected out, separated by spaces
    _bytes("instructions", "sealed, part"),
    _text("state"),
    _int("due_at"),
    _int("not_after"),  # its grants and asks end then at the latest
    _int("ended_at"),  # accepted or cancelled
    _ref("given_by", "memberships"),
    _int("given_at"),
    _int("version"),
    CheckConstraint("preset IN ('read', 'work', 'make')", name="preset"),
    CheckConstraint("state IN ('open', 'submitted', 'returned', 'accepted', 'cancelled')", name="state"),
    CheckConstraint("given_at < due_at AND due_at <= not_after", name="dates"),
    Index(None, "engagement_id", "id"),
    Index(None, "membership_id", "state"),
)

task_documents = Table(
    "task_documents",
    metadata,
    _ref("task_id", "tasks"),
    _ref("document_id", "documents"),
    _ref("firm_id", "firms"),
    _text("direction"),  # in | out
    _text("revision_id"),  # in: as it was handed out; out: as it was submitted last, then as it was accepted
    _text("from_document_id", null=True),  # out: the document in that it was made from
    _int("submission"),  # out: number of the last submission that names it; in: 0
    CheckConstraint("direction IN ('in', 'out')", name="direction"),
    PrimaryKeyConstraint("task_id", "document_id"),
    Index(None, "document_id"),
)

submissions = Table(
    "submissions",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("task_id", "tasks"),
    _int("number"),
    _int("submitted_at"),
    _text("answer", null=True),  # returned | accepted
    _bytes("note", "why it was returned, sealed, part", null=True),
    _int("answered_at", null=True),
    _text("answered_by", null=True),  # a membership's id
    UniqueConstraint("task_id", "number"),
)

# When and from where a vendor's members may work. `terms` is read by service/scoping/hours.py and holds no name.
schedules = Table(
    "schedules",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships", null=True),  # null: every vendor member of the engagement
    _text("terms"),  # canonical JSON: hours, zone, networks, and a salt for the digest in the log
    _int("valid_from"),
    _int("valid_until"),
    _int("ended_at"),
    _ref("made_by", "memberships"),
    _int("version"),
    CheckConstraint("valid_from < valid_until", name="dates"),
    Index(None, "engagement_id", "membership_id"),
)

walls = Table(
    "walls",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("person_id", "people"),
    _ref("matter_id", "matters"),
    _bytes("reason", "sealed, firm"),
    _int("raised_at"),
    _int("lifted_at"),
    _int("version"),
    Index(None, "person_id", "matter_id"),
)

holds = Table(
    "holds",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("matter_id", "matters"),
    _bytes("reason", "sealed, firm"),
    _int("placed_at"),
    _int("lifted_at"),
    _int("version"),
    Index(None, "matter_id"),
)

emergencies = Table(
    "emergencies",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("matter_id", "matters"),
    _ref("membership_id", "memberships"),
    _ref("person_id", "people"),
    _bytes("reason", "sealed, firm"),
    _int("opened_at"),
    _int("closes_at"),
    _int("ended_at"),  # FOREVER: by nobody
    _int("reviewed_at"),  # FOREVER: not yet
    _text("reviewed_by"),  # a membership; ANY: by nobody yet
    _text("verdict"),  # justified | not_justified; empty before the review
    _bytes("note", "the reviewer's, sealed, firm; empty before"),
    _int("version"),
    Index(None, "membership_id", "matter_id"),
    Index(None, "matter_id"),
)

# The end ------------------------------------------------------------------------------------------------------------

disposals = Table(
    "disposals",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _text(
        "state"
    ),  # requested|approved|returned|destroying|keys_destroyed|objects_deleted|verified|certified|withdrawn
    _text("manifest_sha256"),  # of what was approved
    _ref("requested_by", "people"),
    _text("requested_token"),
    _int("requested_at"),  # vendor access ended at this second
    _ref("approved_by", "people", null=True),
    _int("approved_at", null=True),
    _int("returned_at", null=True),
    _bytes("waiver", "sealed, firm", null=True),
    _text("evidence"),  # JSON of ids, counts and times that the finished steps left; no names
    _int("version"),
    Index(None, "engagement_id"),
)

certificates = Table(
    "certificates",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    Column("disposal_id", Text, ForeignKey("disposals.id"), nullable=False, unique=True),
    _ref("engagement_id", "engagements"),
    _text("body"),  # canonical JSON; ids, counts, times and digests only
    _text("sha256"),
    _int("issued_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_index", LargeBinary, primary_key=True, comment="HMAC of membership, route and Idempotency-Key"),
    _ref("firm_id", "firms"),
    _bytes("request_index", "HMAC of the request"),
    _text("resource_id"),
    _int("created_at"),
)

# Papers sealed ahead, which a member may open once for himself; grants are made when he does.
standbys = Table(
    "standbys",
    metadata,
    _id(),
    _ref("firm_id", "firms"),
    _ref("engagement_id", "engagements"),
    _ref("membership_id", "memberships"),
    _ref("part_id", "parts"),
    _text("documents"),  # ids, one space between
    _int("abilities"),
    _int("lasts_s"),  # seconds, once opened
    _int("valid_until"),  # not to be opened from then on
    _bytes("note", "sealed, part"),
    _ref("sealed_by", "memberships"),
    _int("sealed_at"),
    _int("ended_at"),  # withdrawn, or closed before its time
    _int("opened_at", null=True),
    _int("closes_at", null=True),
    _bytes("reason", "why it was opened, sealed, part", null=True),
    _int("version"),
    CheckConstraint("lasts_s BETWEEN 1 AND 14400", name="lasts"),
    Index(None, "engagement_id", "id"),
    Index(None, "membership_id"),
)
