"""The mailbox loop: what was begun on a page, and the mails on their way out."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "flow",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("mailed_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_flow"),
    )
    new = sa.text("mailed_at IS NULL")
    op.create_index("ix_flow_controller_id_subject", "flow", ["controller_id", "subject"])
    op.create_index("ix_flow_controller_id_tag", "flow", ["controller_id", "tag"])
    op.create_index("ix_flow_new", "flow", ["controller_id", "asked_at"], sqlite_where=new, postgresql_where=new)
    op.create_index("ix_flow_controller_id_expires_at", "flow", ["controller_id", "expires_at"])
    op.create_table(
        "outbox",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_outbox"),
    )
    waiting = sa.text("failed_at IS NULL")
    op.create_index("ix_outbox_controller_id_subject", "outbox", ["controller_id", "subject"])
    op.create_index(
        "ix_outbox_waiting", "outbox", ["controller_id", "next_at"], sqlite_where=waiting, postgresql_where=waiting
    )


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_table("flow")
