"""The matter that a reviewer's seat for the house may be limited to; seats that were there are limited to none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FIRM_COLUMNS: dict[str, str] = {}
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {}


def upgrade() -> None:
    """Add the column. It is written when a membership is made and never changed."""
    op.add_column("memberships", sa.Column("matter_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Suspend the seats that were limited, for nothing would limit them any more; and forget the limit."""
    op.execute("UPDATE memberships SET suspended = 1 WHERE matter_id IS NOT NULL")
    op.drop_column("memberships", "matter_id")
