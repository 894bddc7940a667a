"""What other systems have to be told."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_delivery"),
    )
    waiting = sa.text("acknowledged_at IS NULL AND failed_at IS NULL")
    op.create_index("ix_delivery_controller_id_subject", "delivery", ["controller_id", "subject"])
    op.create_index(
        "ix_delivery_waiting", "delivery", ["controller_id", "next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_delivery_controller_id_created_at", "delivery", ["controller_id", "created_at"])


def downgrade() -> None:
    op.drop_table("delivery")
