"""Duties: what an engagement and a matter demand, and evidence that the firm records or waives.

What was there before demands the NDA alone, as it did; duties that were there rest on signatures. Takes no copy of a
table: every column has a default or none to keep.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# No new table: the columns have the walls and the rights of the tables that they stand in (0004).
FIRM_COLUMNS: MappingProxyType[str, str] = MappingProxyType({})
RIGHTS: MappingProxyType[str, Any] = MappingProxyType({})
_WAIVED = "ix_duties_waived_engagement_id_subject_id_kind"


def upgrade() -> None:
    """Add the columns with their checks, and the index by which there is one waiver a subject, kind and engagement."""
    for table, bits in (("matters", 912), ("engagements", 110)):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN owed BIGINT DEFAULT '0' NOT NULL "
            f"CONSTRAINT ck_{table}_owed CHECK ((owed & {bits}) = owed)"
        )
    binary = "BYTEA" if op.get_bind().dialect.name == "postgresql" else "BLOB"
    op.execute(f"ALTER TABLE duties ADD COLUMN note {binary}")
    op.execute("ALTER TABLE duties ADD COLUMN waived BIGINT CONSTRAINT ck_duties_waived CHECK (waived = 1)")
    op.execute("ALTER TABLE duties ADD COLUMN recorded_by TEXT")
    op.execute("ALTER TABLE duties ADD COLUMN version BIGINT DEFAULT '1' NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN duties.note IS 'the evidence, or why it is waived, sealed, firm'")
    op.create_index(_WAIVED, "duties", ["waived", "engagement_id", "subject_id", "kind"], unique=True)


def downgrade() -> None:
    """Forget what was demanded, and with it what was recorded and waived: only signatures count again."""
    op.drop_index(_WAIVED, "duties")
    op.execute("DELETE FROM duties WHERE evidence_id = id")
    for column in ("version", "recorded_by", "waived", "note"):
        op.drop_column("duties", column)
    for table in ("engagements", "matters"):
        op.drop_column(table, "owed")
