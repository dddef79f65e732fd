"""What is out, without reading what was: an entry asks what rests of the account's other follows

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_protections_out",
        "protections",
        ["account_id", "symbol"],
        postgresql_where=sa.text("state IN ('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING')"),
    )


def downgrade() -> None:
    op.drop_index("ix_protections_out", table_name="protections")
