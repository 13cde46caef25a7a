"""${message}.

Before you write: a column goes in two releases (stop writing it, then drop it); a revision that takes a long lock says
so here; the log tables are append-only, so nothing rewrites an entry. Test it with data, up and down, on both databases.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Go back."""
    ${downgrades if downgrades else "pass"}
