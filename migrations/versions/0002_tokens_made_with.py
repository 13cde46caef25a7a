"""With which token another one was made, so that revoking the first ends both.

Of tokens that were made before, nobody knows: NULL, as of those that are made at the machine. They still end by
themselves no later than the token they were made with.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the rows that are there stay as they are."""
    op.add_column("tokens", sa.Column("made_with", sa.Text(), nullable=True))
    op.create_index(op.f("ix_tokens_made_with"), "tokens", ["made_with"], unique=False)


def downgrade() -> None:
    """Forget it."""
    op.drop_index(op.f("ix_tokens_made_with"), table_name="tokens")
    op.drop_column("tokens", "made_with")
