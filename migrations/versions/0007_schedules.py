"""Schedules: the hours and the networks in which a vendor's members may work.

Takes no lock on a table that is there. Rights and row-level security as 0004 gives them to its neighbours.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FIRM = "current_setting('muniment.firm', true)"
FIRM_COLUMNS = {"schedules": "firm_id"}
# What is said in a schedule stays as it was said: only its end is written later.
RIGHTS = {
    "muniment_app": {
        "SELECT": ("schedules",),
        "INSERT": ("schedules",),
        "UPDATE": ("schedules (ended_at, version)",),
    },
    "muniment_disposer": {"SELECT": ("schedules",)},
}


def upgrade() -> None:
    """Add the table, and show each firm its own rows only."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_schedules_dates")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_schedules_engagement_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_schedules_firm_id")),
        sa.ForeignKeyConstraint(["made_by"], ["memberships.id"], name=op.f("fk_schedules_made_by")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_schedules_membership_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(
        op.f("ix_schedules_engagement_id_membership_id"), "schedules", ["engagement_id", "membership_id"], unique=False
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    op.execute("ALTER TABLE schedules ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE schedules FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY firm ON schedules USING (firm_id = {_FIRM})")
    op.execute(f"CREATE POLICY owner ON schedules TO CURRENT_USER USING ({_FIRM} = '*')")


def downgrade() -> None:
    """Forget them: members work at any hour again, from anywhere."""
    op.drop_table("schedules")
