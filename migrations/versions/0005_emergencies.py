"""Emergencies: an attorney opens a matter that he is not named on, for hours, with a reason and a review afterwards.

Takes no lock on a table that is there. Rights and row-level security as 0004 gives them to its neighbours.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FIRM = "current_setting('muniment.firm', true)"
FIRM_COLUMNS = {"emergencies": "firm_id"}
# What was declared stays as it was declared: only its end and its review are written later.
RIGHTS = {
    "muniment_app": {
        "SELECT": ("emergencies",),
        "INSERT": ("emergencies",),
        "UPDATE": ("emergencies (ended_at, reviewed_at, reviewed_by, verdict, note, version)",),
    },
    "muniment_disposer": {"SELECT": ("emergencies",)},
}


def upgrade() -> None:
    """Add the table of emergencies."""
    op.create_table(
        "emergencies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("matter_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed, firm"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False, comment="the reviewer's, sealed, firm; empty before"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_emergencies_firm_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_emergencies_matter_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_emergencies_membership_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_emergencies_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergencies")),
    )
    op.create_index(op.f("ix_emergencies_matter_id"), "emergencies", ["matter_id"], unique=False)
    op.create_index(
        op.f("ix_emergencies_membership_id_matter_id"), "emergencies", ["membership_id", "matter_id"], unique=False
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    op.execute("ALTER TABLE emergencies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE emergencies FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY firm ON emergencies USING (firm_id = {_FIRM})")
    op.execute(f"CREATE POLICY owner ON emergencies TO CURRENT_USER USING ({_FIRM} = '*')")


def downgrade() -> None:
    """Forget them; the log keeps what it said of them."""
    op.drop_table("emergencies")
