"""Sign-ins and their seats, the seat that a token was made by, and whether a member was suspended as a person.

Sign-ins belong to no firm: their rows are the deployment's own, seen by whoever turns to its log, and end (so that who
sat where is not kept longer than it serves). Tokens that were made before were made by no seat.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"
branch_labels = None
depends_on = None

NEW = ("seats", "signins")
FIRM_COLUMNS = dict.fromkeys(NEW, "log_id")
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {
        "SELECT": NEW,
        "INSERT": NEW,
        "UPDATE": ("signins (ended_at)", "seats (removed_at)"),
        "DELETE": NEW,
    },
    "muniment_disposer": {"SELECT": NEW},
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the tables behind walls of their own, and the columns."""
    op.add_column("memberships", sa.Column("contained_at", sa.BigInteger(), nullable=True))
    op.add_column("tokens", sa.Column("seat_id", sa.Text(), nullable=True))
    op.create_index(op.f("ix_tokens_seat_id"), "tokens", ["seat_id"], unique=False)
    _create_signins()
    _create_seats()
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table, columns in (entry.partition(" ")[::2] for entry in tables):
                op.execute(f"GRANT {verb} {columns} ON {table} TO {group}")
    for table in NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (log_id = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")


def _create_signins() -> None:
    op.create_table(
        "signins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the random secret"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_signins_log_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signins")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_signins_secret_hash")),
    )


def _create_seats() -> None:
    op.create_table(
        "seats",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("signin_id", sa.Text(), nullable=False),
        sa.Column("of_firm", sa.Text(), nullable=False),
        sa.Column("of_membership", sa.Text(), nullable=False),
        sa.Column("of_token", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_seats_log_id")),
        sa.ForeignKeyConstraint(["signin_id"], ["signins.id"], name=op.f("fk_seats_signin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
    )
    op.create_index(op.f("ix_seats_signin_id"), "seats", ["signin_id"], unique=False)


def downgrade() -> None:
    """Forget them; tokens that were made by a seat live on until their end, hours away, or until they are revoked."""
    op.drop_table("seats")
    op.drop_table("signins")
    op.drop_index(op.f("ix_tokens_seat_id"), table_name="tokens")
    op.drop_column("tokens", "seat_id")
    op.drop_column("memberships", "contained_at")
