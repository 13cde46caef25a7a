"""Reviewing: what a member said was not meant for him."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NEW = ("misdirections",)
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {
        "SELECT": NEW,
        "INSERT": NEW,
        "UPDATE": ("misdirections (closed_until, acknowledged_by, acknowledged_at, answer, version)",),
    },
    "muniment_disposer": {"SELECT": NEW},
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the table behind each firm's walls."""
    _create_misdirections()
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    for table in NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (firm_id = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")


def _keys(table: str, **references: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in references.items()
    ]


def _create_misdirections() -> None:
    op.create_table(
        "misdirections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="sealed, part"),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_until", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True, comment="what the member is told, sealed, part"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_keys(
            "misdirections",
            firm_id="firms",
            engagement_id="engagements",
            document_id="documents",
            membership_id="memberships",
            person_id="people",
            acknowledged_by="memberships",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_misdirections")),
    )
    for columns in (
        ["document_id", "person_id", "closed_until"],
        ["engagement_id", "id"],
        ["firm_id", "acknowledged_at"],
    ):
        op.create_index(op.f(f"ix_misdirections_{'_'.join(columns)}"), "misdirections", columns, unique=False)


def downgrade() -> None:
    """Forget what was said; the grants that ended with it stay ended."""
    op.drop_table("misdirections")
