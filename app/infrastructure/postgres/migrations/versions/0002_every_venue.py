"""Accounts in hedge mode, and fees taken in coins

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("hedged", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "fills", sa.Column("base_fee", sa.Numeric(38, 18), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "follows",
        sa.Column(
            "protection",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.create_table(
        "protections",
        sa.Column("follow_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Numeric(38, 18), nullable=False),
        sa.Column("quantity", sa.Numeric(38, 18), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("protection_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("signed_ms", sa.BigInteger(), nullable=False),
        sa.Column("valid_ms", sa.BigInteger(), nullable=False),
        sa.Column("looks", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint('"trigger" > 0 AND "trigger" < \'Infinity\'', name=op.f("ck_protections_trigger")),
        sa.CheckConstraint("quantity > 0 AND quantity < 'Infinity'", name=op.f("ck_protections_quantity")),
        sa.PrimaryKeyConstraint("follow_id", "symbol", "rung", "attempt", name=op.f("pk_protections")),
        sa.UniqueConstraint("client_order_id", name=op.f("uq_protections_client_order_id")),
        postgresql_with={"fillfactor": "60"},
    )
    op.create_index(
        "ix_protections_live",
        "protections",
        ["look_at"],
        postgresql_where=sa.text("state IN ('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING', 'ABSENT')"),
    )
    op.create_index("ix_protections_account", "protections", ["account_id", "symbol"])
    op.create_table(
        "protection_marks",
        sa.Column("follow_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("best", sa.Numeric(38, 18), nullable=False),
        sa.Column("bare_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("best > 0 AND best < 'Infinity'", name=op.f("ck_protection_marks_best")),
        sa.PrimaryKeyConstraint("follow_id", "symbol", name=op.f("pk_protection_marks")),
    )
    op.create_table(
        "drift_marks",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ours", sa.Numeric(38, 18), nullable=False),
        sa.Column("theirs", sa.Numeric(38, 18), nullable=False),
        sa.Column("looks", sa.SmallInteger(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ours > '-Infinity' AND ours < 'Infinity'", name=op.f("ck_drift_marks_ours")),
        sa.CheckConstraint(
            "theirs > '-Infinity' AND theirs < 'Infinity'", name=op.f("ck_drift_marks_theirs")
        ),
        sa.PrimaryKeyConstraint("account_id", "what", name=op.f("pk_drift_marks")),
    )
    op.create_check_constraint(op.f("ck_fills_base_fee"), "fills", "base_fee >= 0 AND base_fee < 'Infinity'")


def downgrade() -> None:
    op.drop_table("drift_marks")
    op.drop_table("protection_marks")
    op.drop_table("protections")
    op.drop_column("follows", "protection")
    op.drop_constraint(op.f("ck_fills_base_fee"), "fills")
    op.drop_column("fills", "base_fee")
    op.drop_column("accounts", "hedged")
