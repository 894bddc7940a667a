"""Evidence of destroyed epoch keys; which epoch wrapped an erased person's key."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("key_event", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("erasure_intent", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("erasure_intent", "epoch")
    op.drop_column("key_event", "number")
