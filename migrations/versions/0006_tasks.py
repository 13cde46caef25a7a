"""Tasks: what members are asked to do, with the papers in and out of them; grants and asks that were made with one.

On PostgreSQL the new tables get the walls and the rights that their neighbours have (0004). What was granted and asked
before stays as it is: made by itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("tasks", "task_documents", "submissions")
FIRM_COLUMNS = dict.fromkeys(TABLES, "firm_id")
RIGHTS = {
    "muniment_app": dict.fromkeys(("SELECT", "INSERT", "UPDATE"), TABLES),
    "muniment_disposer": {"SELECT": TABLES},
}
_FIRM = "current_setting('muniment.firm', true)"


def upgrade() -> None:
    """Add the tables, and the column by which a grant or an ask knows its task."""
    _add_tasks()
    _add_task_documents()
    _add_submissions()
    for table in ("grants", "asks"):
        op.add_column(table, sa.Column("task_id", sa.Text(), nullable=True))
    if op.get_bind().dialect.name != "postgresql":
        return
    for group, rights in RIGHTS.items():
        for verb, tables in rights.items():
            op.execute(f"GRANT {verb} ON {', '.join(tables)} TO {group}")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (firm_id = {_FIRM})")
        op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING ({_FIRM} = '*')")


def _add_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("instructions", sa.LargeBinary(), nullable=False, comment="sealed, part"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("preset IN ('read', 'work', 'make')", name=op.f("ck_tasks_preset")),
        sa.CheckConstraint(
            "state IN ('open', 'submitted', 'returned', 'accepted', 'cancelled')", name=op.f("ck_tasks_state")
        ),
        sa.CheckConstraint("given_at < due_at AND due_at <= not_after", name=op.f("ck_tasks_dates")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_tasks_firm_id")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_tasks_engagement_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_tasks_membership_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_tasks_part_id")),
        sa.ForeignKeyConstraint(["given_by"], ["memberships.id"], name=op.f("fk_tasks_given_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_engagement_id_id"), "tasks", ["engagement_id", "id"], unique=False)
    op.create_index(op.f("ix_tasks_membership_id_state"), "tasks", ["membership_id", "state"], unique=False)


def _add_task_documents() -> None:
    op.create_table(
        "task_documents",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("revision_id", sa.Text(), nullable=False),
        sa.Column("from_document_id", sa.Text(), nullable=True),
        sa.Column("submission", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_task_documents_direction")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_documents_task_id")),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_task_documents_document_id")),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_task_documents_firm_id")),
        sa.PrimaryKeyConstraint("task_id", "document_id", name=op.f("pk_task_documents")),
    )
    op.create_index(op.f("ix_task_documents_document_id"), "task_documents", ["document_id"], unique=False)


def _add_submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="why it was returned, sealed, part"),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_submissions_firm_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_submissions_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("task_id", "number", name=op.f("uq_submissions_task_id_number")),
    )


def downgrade() -> None:
    """Forget the tasks; what was granted and asked with them goes on by itself until its own end."""
    for table in ("asks", "grants"):
        op.drop_column(table, "task_id")
    for table in reversed(TABLES):
        op.drop_table(table)
