"""Certificates of erasure while they ripen."""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "erasure_certificate",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("drained_at", sa.BigInteger(), nullable=True),
        sa.Column("scanned_at", sa.BigInteger(), nullable=True),
        sa.Column("scan", sa.JSON(), nullable=False),
        sa.Column("accepted", sa.JSON(), nullable=False),
        sa.Column("final_at", sa.BigInteger(), nullable=True),
        sa.Column("paper", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_erasure_certificate"),
    )
    for column in ("subject", "begun_at"):
        op.create_index(
            f"ix_erasure_certificate_controller_id_{column}", "erasure_certificate", ["controller_id", column]
        )


def downgrade() -> None:
    op.drop_table("erasure_certificate")
