"""Disclosures: titles that attorneys open to a reviewer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NEW = ("disclosures",)
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {
        "SELECT": NEW,
        "INSERT": NEW,
        "UPDATE": ("disclosures (ended_at, version)",),
    },
    "muniment_disposer": {"SELECT": NEW},
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the table behind each firm's walls."""
    _create_disclosures()
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


def _create_disclosures() -> None:
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_keys(
            "disclosures",
            firm_id="firms",
            engagement_id="engagements",
            document_id="documents",
            membership_id="memberships",
            made_by="memberships",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    for columns in (
        ["document_id", "membership_id", "not_after"],
        ["membership_id", "engagement_id", "document_id"],
        ["engagement_id", "id"],
    ):
        op.create_index(op.f(f"ix_disclosures_{'_'.join(columns)}"), "disclosures", columns, unique=False)


def downgrade() -> None:
    """Forget which titles were opened: no reviewer is told any."""
    op.drop_table("disclosures")
