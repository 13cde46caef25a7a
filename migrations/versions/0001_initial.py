"""The first tables: the log, the firm's world, agreements and duties, documents, disposals.

What is written once stays as it was written: triggers refuse UPDATE and DELETE (PostgreSQL: TRUNCATE too) on the tables
in `WRITTEN_ONCE`. On SQLite they hold against REPLACE as well, because connections run with recursive_triggers=ON.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WRITTEN_ONCE = (
    "log_entries",
    "log_tiles",
    "log_checkpoints",
    "agreement_versions",
    "signatures",
    "certificates",
)


def upgrade() -> None:
    """Create everything."""

    op.create_table(
        "logs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("verifier_key", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False, comment="Ed25519 seed, wrapped by key_id"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('firm', 'deployment')", name=op.f("ck_logs_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
    )
    op.create_table(
        "firms",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("field_key", sa.LargeBinary(), nullable=False, comment="wrapped by key_id"),
        sa.Column("name", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["logs.id"], name=op.f("fk_firms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firms")),
    )
    op.create_table(
        "log_chains",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("last_leaf", sa.LargeBinary(), nullable=False, comment="leaf hash of the engagement's newest entry"),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_chains_log_id")),
        sa.PrimaryKeyConstraint("log_id", "engagement_id", name=op.f("pk_log_chains")),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False, comment="signed note"),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_checkpoints_log_id")),
        sa.PrimaryKeyConstraint("log_id", "size", name=op.f("pk_log_checkpoints")),
    )
    op.create_table(
        "log_entries",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="canonical JSON as written, at most 4096 bytes"),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False, comment="RFC 6962 leaf hash, 32 bytes"),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column(
            "payload", sa.LargeBinary(), nullable=True, comment="names, sealed under the field key of payload_holder"
        ),
        sa.Column("payload_holder", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_entries_log_id")),
        sa.PrimaryKeyConstraint("log_id", "idx", name=op.f("pk_log_entries")),
    )
    op.create_index(
        op.f("ix_log_entries_log_id_engagement_id_idx"), "log_entries", ["log_id", "engagement_id", "idx"], unique=False
    )
    op.create_table(
        "log_intents",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_intents_log_id")),
        sa.PrimaryKeyConstraint("log_id", "idx", name=op.f("pk_log_intents")),
    )
    op.create_table(
        "log_signers",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False, comment="the signer's own memory of the tree"),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_signers_log_id")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_log_signers")),
    )
    op.create_table(
        "log_tiles",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False, comment="256 hashes of 32 bytes"),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_tiles_log_id")),
        sa.PrimaryKeyConstraint("log_id", "level", "idx", name=op.f("pk_log_tiles")),
    )
    op.create_table(
        "duties",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Text(), nullable=False),
        sa.Column("evidence_sha256", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_duties_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
    )
    op.create_index(op.f("ix_duties_evidence_id"), "duties", ["evidence_id"], unique=False)
    op.create_index(op.f("ix_duties_subject_id_engagement_id"), "duties", ["subject_id", "engagement_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column(
            "key_index", sa.LargeBinary(), nullable=False, comment="HMAC of membership, route and Idempotency-Key"
        ),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("request_index", sa.LargeBinary(), nullable=False, comment="HMAC of the request"),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_idempotency_firm_id")),
        sa.PrimaryKeyConstraint("key_index", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "matters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_matters_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matters")),
        sa.UniqueConstraint("firm_id", "number", name=op.f("uq_matters_firm_id_number")),
    )
    op.create_table(
        "vendors",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_vendors_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendors")),
    )
    op.create_index(op.f("ix_vendors_firm_id"), "vendors", ["firm_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_holds_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_holds_matter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_matter_id"), "holds", ["matter_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("field_key", sa.LargeBinary(), nullable=False, comment="wrapped by key_id"),
        sa.Column(
            "email_index",
            sa.LargeBinary(),
            nullable=False,
            comment="HMAC of the normalised address under the firm's field key",
        ),
        sa.Column("email", sa.LargeBinary(), nullable=False, comment="sealed, person"),
        sa.Column("name", sa.LargeBinary(), nullable=False, comment="sealed, person"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(side = 'vendor') = (vendor_id IS NOT NULL)", name=op.f("ck_people_vendor")),
        sa.CheckConstraint("side IN ('firm', 'vendor')", name=op.f("ck_people_side")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_people_firm_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_people_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("firm_id", "email_index", name=op.f("uq_people_firm_id_email_index")),
    )
    op.create_table(
        "engagements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("field_key", sa.LargeBinary(), nullable=False, comment="wrapped by key_id"),
        sa.Column("name", sa.LargeBinary(), nullable=False, comment="sealed, engagement"),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("deputy_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('running', 'closing', 'disposed')", name=op.f("ck_engagements_status")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_engagements_dates")),
        sa.ForeignKeyConstraint(["deputy_id"], ["people.id"], name=op.f("fk_engagements_deputy_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_engagements_firm_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["people.id"], name=op.f("fk_engagements_lead_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_engagements_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("firm_id", "number", name=op.f("uq_engagements_firm_id_number")),
    )
    op.create_table(
        "matter_team",
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_matter_team_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_matter_team_matter_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_matter_team_person_id")),
        sa.PrimaryKeyConstraint("matter_id", "person_id", name=op.f("pk_matter_team")),
    )
    op.create_index(op.f("ix_matter_team_person_id_matter_id"), "matter_team", ["person_id", "matter_id"], unique=False)
    op.create_table(
        "walls",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_walls_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_walls_matter_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_walls_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walls")),
    )
    op.create_index(op.f("ix_walls_person_id_matter_id"), "walls", ["person_id", "matter_id"], unique=False)
    op.create_table(
        "agreements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_agreements_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_agreements_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("engagement_id", "kind", name=op.f("uq_agreements_engagement_id_kind")),
    )
    op.create_table(
        "disposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_token", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("returned_at", sa.BigInteger(), nullable=True),
        sa.Column("waiver", sa.LargeBinary(), nullable=True, comment="sealed, firm"),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_disposals_approved_by")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_disposals_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_disposals_firm_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["people.id"], name=op.f("fk_disposals_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposals")),
    )
    op.create_index(op.f("ix_disposals_engagement_id"), "disposals", ["engagement_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("suspended", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("side = 'firm' OR engagement_id IS NOT NULL", name=op.f("ck_memberships_vendor_engagement")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_memberships_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_memberships_firm_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_engagement_id"), "memberships", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_memberships_person_id"), "memberships", ["person_id"], unique=False)
    op.create_table(
        "parts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("field_key", sa.LargeBinary(), nullable=False, comment="wrapped by key_id"),
        sa.Column(
            "caption",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed, part: how the matter is called inside this engagement",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_parts_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_parts_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_parts_matter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts")),
        sa.UniqueConstraint("engagement_id", "matter_id", name=op.f("uq_parts_engagement_id_matter_id")),
    )
    op.create_table(
        "agreement_versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the text, sealed, firm"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("bites_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_versions_agreement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_agreement_versions_firm_id")),
        sa.ForeignKeyConstraint(["published_by"], ["people.id"], name=op.f("fk_agreement_versions_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_versions")),
        sa.UniqueConstraint("agreement_id", "number", name=op.f("uq_agreement_versions_agreement_id_number")),
    )
    op.create_table(
        "asks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("instructions", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_asks_dates")),
        sa.ForeignKeyConstraint(["asked_by"], ["memberships.id"], name=op.f("fk_asks_asked_by")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_asks_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_asks_firm_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_asks_membership_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_asks_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
    )
    op.create_index(op.f("ix_asks_membership_id_part_id"), "asks", ["membership_id", "part_id"], unique=False)
    op.create_table(
        "certificates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("disposal_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["disposal_id"], ["disposals.id"], name=op.f("fk_certificates_disposal_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_certificates_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_certificates_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("disposal_id", name=op.f("uq_certificates_disposal_id")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sensitivity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("revision_id", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('to_look_at', 'confirmed', 'taken_back', 'destroyed')", name=op.f("ck_documents_state")
        ),
        sa.ForeignKeyConstraint(["added_by"], ["memberships.id"], name=op.f("fk_documents_added_by")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_documents_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_documents_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_documents_matter_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_documents_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("engagement_id", "number", name=op.f("uq_documents_engagement_id_number")),
    )
    op.create_index(op.f("ix_documents_added_by_id"), "documents", ["added_by", "id"], unique=False)
    op.create_index(op.f("ix_documents_matter_id_id"), "documents", ["matter_id", "id"], unique=False)
    op.create_index(op.f("ix_documents_part_id_id"), "documents", ["part_id", "id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the random secret"),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_tokens_firm_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_tokens_membership_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tokens_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_tokens_membership_id"), "tokens", ["membership_id"], unique=False)
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("abilities", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_grants_dates")),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_grants_document_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_grants_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_grants_firm_id")),
        sa.ForeignKeyConstraint(["granted_by"], ["memberships.id"], name=op.f("fk_grants_granted_by")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_grants_membership_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_document_id"), "grants", ["document_id"], unique=False)
    op.create_index(
        "ix_grants_given",
        "grants",
        ["membership_id", "document_id", "revoked_at", "not_after", "not_before", "abilities"],
        unique=False,
    )
    op.create_table(
        "revisions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False, comment="wrapped by the part's key"),
        sa.Column(
            "header",
            sa.LargeBinary(),
            nullable=False,
            comment="first 56 bytes of the sealed message: salt and commitment",
        ),
        sa.Column("blob_id", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="of the plaintext in hex, sealed, part"),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=True),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["memberships.id"], name=op.f("fk_revisions_added_by")),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_revisions_document_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_revisions_firm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_revisions_document_id_number")),
    )
    op.create_index(op.f("ix_revisions_added_by"), "revisions", ["added_by"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("typed_name", sa.LargeBinary(), nullable=False, comment="sealed, person"),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_signatures_firm_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_signatures_membership_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_signatures_person_id")),
        sa.ForeignKeyConstraint(["version_id"], ["agreement_versions.id"], name=op.f("fk_signatures_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("version_id", "person_id", name=op.f("uq_signatures_version_id_person_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def downgrade() -> None:
    """Drop everything."""

    op.drop_table("signatures")
    op.drop_index(op.f("ix_revisions_added_by"), table_name="revisions")
    op.drop_table("revisions")
    op.drop_index("ix_grants_given", table_name="grants")
    op.drop_index(op.f("ix_grants_document_id"), table_name="grants")
    op.drop_table("grants")
    op.drop_index(op.f("ix_tokens_membership_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_documents_part_id_id"), table_name="documents")
    op.drop_index(op.f("ix_documents_matter_id_id"), table_name="documents")
    op.drop_index(op.f("ix_documents_added_by_id"), table_name="documents")
    op.drop_table("documents")
    op.drop_table("certificates")
    op.drop_index(op.f("ix_asks_membership_id_part_id"), table_name="asks")
    op.drop_table("asks")
    op.drop_table("agreement_versions")
    op.drop_table("parts")
    op.drop_index(op.f("ix_memberships_person_id"), table_name="memberships")
    op.drop_index(op.f("ix_memberships_engagement_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_disposals_engagement_id"), table_name="disposals")
    op.drop_table("disposals")
    op.drop_table("agreements")
    op.drop_index(op.f("ix_walls_person_id_matter_id"), table_name="walls")
    op.drop_table("walls")
    op.drop_index(op.f("ix_matter_team_person_id_matter_id"), table_name="matter_team")
    op.drop_table("matter_team")
    op.drop_table("engagements")
    op.drop_table("people")
    op.drop_index(op.f("ix_holds_matter_id"), table_name="holds")
    op.drop_table("holds")
    op.drop_index(op.f("ix_vendors_firm_id"), table_name="vendors")
    op.drop_table("vendors")
    op.drop_table("matters")
    op.drop_table("idempotency")
    op.drop_index(op.f("ix_duties_subject_id_engagement_id"), table_name="duties")
    op.drop_index(op.f("ix_duties_evidence_id"), table_name="duties")
    op.drop_table("duties")
    op.drop_table("log_tiles")
    op.drop_table("log_signers")
    op.drop_table("log_intents")
    op.drop_index(op.f("ix_log_entries_log_id_engagement_id_idx"), table_name="log_entries")
    op.drop_table("log_entries")
    op.drop_table("log_checkpoints")
    op.drop_table("log_chains")
    op.drop_table("firms")
    op.drop_table("logs")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION muniment_written_once()")


def _guard_sqlite() -> None:
    for table in WRITTEN_ONCE:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is written once'); END"
            )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION muniment_written_once() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME; END $$"
    )
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION muniment_written_once()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION muniment_written_once()"
        )
