"""Overlays: how an engagement is stricter than the policy for its vendor's people, as text in its row.

Engagements that are there have none. Adding a column with a constant default takes no copy of the table.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FIRM_COLUMNS: dict[str, str] = {}  # no table of its own
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {}  # those of the engagement's row


def upgrade() -> None:
    """Add the column behind the walls of its table."""
    op.execute("ALTER TABLE engagements ADD COLUMN overlay TEXT DEFAULT '' NOT NULL")


def downgrade() -> None:
    """Forget the overlays: what they took away is open again, as the policy has it."""
    op.drop_column("engagements", "overlay")
