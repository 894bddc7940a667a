"""The keyring: one wrapped key for each person."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "subject_key",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "lookup", name="pk_subject_key"),
        sa.UniqueConstraint("controller_id", "reference", name="uq_subject_key_controller_id_reference"),
    )


def downgrade() -> None:
    op.drop_table("subject_key")
