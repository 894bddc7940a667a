"""Who must not be purged or erased for now."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_hold"),
    )
    op.create_index("ix_hold_controller_id_subject", "hold", ["controller_id", "subject"])
    op.create_index("ix_hold_controller_id_lifted_at", "hold", ["controller_id", "lifted_at"])


def downgrade() -> None:
    op.drop_table("hold")
