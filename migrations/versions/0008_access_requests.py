"""What members ask for: requests for access, who is on call to answer them, and what an engagement lets be asked for.

Engagements that are there declare what they did before anybody could ask: what is withheld is invisible.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NEW = ("access_requests", "on_calls")
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
RIGHTS = {"muniment_app": {"SELECT": NEW, "INSERT": NEW, "UPDATE": NEW}, "muniment_disposer": {"SELECT": NEW}}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the tables behind each firm's walls, and the column with its check, which needs no copy of the table."""
    op.execute(
        "ALTER TABLE engagements ADD COLUMN withheld TEXT DEFAULT 'invisible' NOT NULL "
        "CONSTRAINT ck_engagements_withheld CHECK (withheld IN ('invisible', 'may_be_asked_for'))"
    )
    _create_access_requests()
    _create_on_calls()
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            op.execute(f"GRANT {verb} ON {', '.join(tables)} TO {group}")
    for table in NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (firm_id = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")


def _create_access_requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("abilities", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="what the answer says, sealed, part"),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('access', 'extension')", name=op.f("ck_access_requests_kind")),
        sa.CheckConstraint(
            "state IN ('open', 'as_asked', 'with_less', 'refused', 'withdrawn')", name=op.f("ck_access_requests_state")
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_access_requests_{column}"))
            for column, table in (
                ("firm_id", "firms"),
                ("engagement_id", "engagements"),
                ("membership_id", "memberships"),
                ("part_id", "parts"),
                ("document_id", "documents"),
                ("answered_by", "memberships"),
                ("grant_id", "grants"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
    )
    for columns in (["membership_id", "state"], ["engagement_id", "id"], ["firm_id", "state", "lapses_at"]):
        op.create_index(op.f(f"ix_access_requests_{'_'.join(columns)}"), "access_requests", columns, unique=False)


def _create_on_calls() -> None:
    op.create_table(
        "on_calls",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_on_calls_{column}"))
            for column, table in (("firm_id", "firms"), ("engagement_id", "engagements"), ("person_id", "people"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_calls")),
    )
    op.create_index(
        op.f("ix_on_calls_engagement_id_person_id"), "on_calls", ["engagement_id", "person_id"], unique=False
    )


def downgrade() -> None:
    """Forget them; grants that were given by an answer stay."""
    op.drop_table("on_calls")
    op.drop_table("access_requests")
    op.drop_column("engagements", "withheld")
