"""Authenticators and tokens that are stepped up; brakes on what one vendor member opens within an hour.

Tokens that are there were never stepped up, nobody that is there was ever braked, and engagements get the marks that
new ones begin with.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NEW = ("authenticators", "openings")
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
# An enrolment stays as it was made: only what became of it is written later.
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {
        "SELECT": NEW,
        "INSERT": NEW,
        "UPDATE": ("authenticators (confirmed_at, ended_at, last_step, wrong_at)", "openings (size_bytes)"),
        "DELETE": ("openings",),
    },
    "muniment_disposer": {"SELECT": NEW},
}
COLUMNS = (
    ("tokens", "stepped_up_until", "BIGINT DEFAULT '0' NOT NULL"),
    ("engagements", "slow_documents", "BIGINT DEFAULT '60' NOT NULL"),
    ("engagements", "slow_bytes", "BIGINT DEFAULT '1073741824' NOT NULL"),
    ("engagements", "stop_documents", "BIGINT DEFAULT '200' NOT NULL"),
    ("engagements", "stop_bytes", "BIGINT DEFAULT '4294967296' NOT NULL"),
    ("memberships", "braked_at", "BIGINT"),
    ("memberships", "braked_documents", "BIGINT"),
    ("memberships", "braked_bytes", "BIGINT"),
)
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the columns, which needs no copy of a table, and the tables behind each firm's walls."""
    for table, column, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    _create_authenticators()
    _create_openings()
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


def _create_authenticators() -> None:
    op.create_table(
        "authenticators",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="base32, sealed, person"),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("wrong_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_authenticators_firm_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_authenticators_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticators")),
    )
    op.create_index(op.f("ix_authenticators_person_id"), "authenticators", ["person_id"], unique=False)


def _create_openings() -> None:
    op.create_table(
        "openings",
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_openings_firm_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_openings_membership_id")),
        sa.PrimaryKeyConstraint("membership_id", "minute", "revision_id", name=op.f("pk_openings")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_openings_firm_id_minute"), "openings", ["firm_id", "minute"], unique=False)


def downgrade() -> None:
    """Forget them; who was suspended by a brake stays suspended."""
    op.drop_table("openings")
    op.drop_table("authenticators")
    for table, column, _ in reversed(COLUMNS):
        op.drop_column(table, column)
