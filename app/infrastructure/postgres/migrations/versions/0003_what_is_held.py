"""What is held, without reading what was: the passes over open positions read no flat ones

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_positions_held",
        "positions",
        ["account_id", "follow_id"],
        postgresql_where=sa.text("quantity <> 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_positions_held", table_name="positions")
