"""Sharing many: acts that made many grants at once, standing shares, and the columns by which a grant knows either.

What was granted before stays as it is: made by itself or with a task. Of a standing share only its end is written
later; of a bulk act nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEW = ("bulk_grants", "standing_shares")
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {"SELECT": NEW, "INSERT": NEW, "UPDATE": ("standing_shares (ended_at, version)",)},
    "muniment_disposer": {"SELECT": NEW},
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the tables behind each firm's walls, and the columns."""
    for column in ("bulk_id", "standing_id"):
        op.add_column("grants", sa.Column(column, sa.Text(), nullable=True))
    _create_bulk_grants()
    _create_standing_shares()
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


def _create_bulk_grants() -> None:
    op.create_table(
        "bulk_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("grants", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *_keys(
            "bulk_grants",
            firm_id="firms",
            engagement_id="engagements",
            membership_id="memberships",
            made_by="memberships",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_grants")),
    )


def _create_standing_shares() -> None:
    op.create_table(
        "standing_shares",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("sensitivity", sa.Text(), nullable=False),
        sa.Column("abilities", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_standing_shares_dates")),
        sa.CheckConstraint("(membership_id IS NULL) <> (role IS NULL)", name=op.f("ck_standing_shares_recipient")),
        sa.CheckConstraint("sensitivity IN ('routine', 'confidential')", name=op.f("ck_standing_shares_sensitivity")),
        *_keys(
            "standing_shares",
            firm_id="firms",
            engagement_id="engagements",
            part_id="parts",
            membership_id="memberships",
            made_by="memberships",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_shares")),
    )
    for columns in (["part_id"], ["engagement_id", "id"]):
        op.create_index(op.f(f"ix_standing_shares_{'_'.join(columns)}"), "standing_shares", columns, unique=False)


def downgrade() -> None:
    """Forget them; what was granted by them stays, as if made by hand."""
    op.drop_table("standing_shares")
    op.drop_table("bulk_grants")
    for column in ("standing_id", "bulk_id"):
        op.drop_column("grants", column)
