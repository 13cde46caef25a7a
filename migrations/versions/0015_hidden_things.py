"""What lies hidden in a revision: words with counts, told by the policy. NULL for all that was there: nobody looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FIRM_COLUMNS: dict[str, str] = {}
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {}
"""None besides: the column comes with the row, and no code changes it afterwards."""


def upgrade() -> None:
    """Add the column."""
    op.add_column("revisions", sa.Column("hidden", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget what was found."""
    op.drop_column("revisions", "hidden")
