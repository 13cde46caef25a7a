"""Duties: what an engagement and a matter demand, and evidence that the firm records or waives. Standby shares.

What was there before demands the NDA alone, as it did; duties that were there rest on signatures. Takes no copy of a
table: every column has a default or none to keep.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The columns have the walls and the rights of the tables that they stand in (0004).
FIRM_COLUMNS = {"standbys": "firm_id"}
RIGHTS = {
    "muniment_app": {
        "SELECT": ("standbys",),
        "INSERT": ("standbys",),
        "UPDATE": ("standbys (ended_at, opened_at, closes_at, reason, version)",),
    },
    "muniment_disposer": {"SELECT": ("standbys",)},
}
_FIRM = "current_setting('muniment.firm', true)"
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
    op.add_column("grants", sa.Column("standby_id", sa.Text(), nullable=True))
    _create_standbys()
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    op.execute("ALTER TABLE standbys ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE standbys FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY firm ON standbys USING (firm_id = {_FIRM})")
    op.execute(f"CREATE POLICY owner ON standbys TO CURRENT_USER USING ({_FIRM} = '*')")


def _create_standbys() -> None:
    op.create_table(
        "standbys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("documents", sa.Text(), nullable=False),
        sa.Column("abilities", sa.BigInteger(), nullable=False),
        sa.Column("lasts_s", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("sealed_by", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="why it was opened, sealed, part"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("lasts_s BETWEEN 1 AND 14400", name=op.f("ck_standbys_lasts")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_standbys_{column}"))
            for column, table in (
                ("firm_id", "firms"),
                ("engagement_id", "engagements"),
                ("membership_id", "memberships"),
                ("part_id", "parts"),
                ("sealed_by", "memberships"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standbys")),
    )
    op.create_index(op.f("ix_standbys_engagement_id_id"), "standbys", ["engagement_id", "id"], unique=False)
    op.create_index(op.f("ix_standbys_membership_id"), "standbys", ["membership_id"], unique=False)


def downgrade() -> None:
    """Forget what was demanded, and with it what was recorded and waived: only signatures count again."""
    op.drop_table("standbys")
    op.drop_column("grants", "standby_id")
    op.drop_index(_WAIVED, "duties")
    op.execute("DELETE FROM duties WHERE evidence_id = id")
    for column in ("version", "recorded_by", "waived", "note"):
        op.drop_column("duties", column)
    for table in ("engagements", "matters"):
        op.drop_column(table, "owed")
