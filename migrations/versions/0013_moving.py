"""Moving: documents that went elsewhere and say so, which document is whose continuation, and revisions sealed anew.

A move is written once. What was there before stays as it is: moved from nowhere. Going down, what was moved away counts
as taken back, for its keys are gone; where it went to is forgotten.

On SQLite the table of documents is written anew, for a check cannot be changed there; rows and indexes stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NEW = ("moves",)
FIRM_COLUMNS = dict.fromkeys(NEW, "firm_id")
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "muniment_app": {"SELECT": NEW, "INSERT": NEW},
    "muniment_disposer": {"SELECT": NEW},
}
_FIRM = "current_setting('muniment.firm', true)"
_BEFORE = ("to_look_at", "confirmed", "taken_back", "destroyed")
_AFTER = ("to_look_at", "confirmed", "taken_back", "moved", "destroyed")


def upgrade() -> None:
    """Let documents be moved, and add the table behind each firm's walls."""
    _let_states_be(_AFTER)
    op.add_column("revisions", sa.Column("moved_from", sa.Text(), nullable=True))
    _create_moves()
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            for table in tables:
                op.execute(f"GRANT {verb} ON {table} TO {group}")
    for table in NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (firm_id = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")


def _let_states_be(words: tuple[str, ...]) -> None:
    name, listed = op.f("ck_documents_state"), ", ".join(f"'{word}'" for word in words)
    with op.batch_alter_table("documents") as table:
        table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, f"state IN ({listed})")


def _create_moves() -> None:
    op.create_table(
        "moves",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("from_document_id", sa.Text(), nullable=False),
        sa.Column("to_document_id", sa.Text(), nullable=False),
        sa.Column("moved_by", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_moves_{column}"))
            for column, other in (
                ("firm_id", "firms"),
                ("from_document_id", "documents"),
                ("to_document_id", "documents"),
                ("moved_by", "memberships"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moves")),
        sa.UniqueConstraint("from_document_id", name=op.f("uq_moves_from_document_id")),
        sa.UniqueConstraint("to_document_id", name=op.f("uq_moves_to_document_id")),
    )


def downgrade() -> None:
    """Forget where documents went."""
    op.drop_table("moves")
    op.drop_column("revisions", "moved_from")
    op.execute("UPDATE documents SET state = 'taken_back' WHERE state = 'moved'")
    _let_states_be(_BEFORE)
