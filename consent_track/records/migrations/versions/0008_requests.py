"""Requests of people: the log, the addresses they stand for, the steps that were taken, answers."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "rights_request",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("jurisdictions", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledge_by", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("extended_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_for", sa.BigInteger(), nullable=False),
        sa.Column("level_needed", sa.String(), nullable=False),
        sa.Column("level_proved", sa.String(), nullable=False),
        sa.Column("cools_until", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_rights_request"),
    )
    is_open = sa.text("closed_at IS NULL")
    columns = ["controller_id", "due_at"]
    op.create_index("ix_rights_request_controller_id_subject", "rights_request", ["controller_id", "subject"])
    op.create_index("ix_rights_request_open", "rights_request", columns, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("ix_rights_request_controller_id_closed_at", "rights_request", ["controller_id", "closed_at"])
    op.create_table(
        "request_address",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("proofs", sa.String(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "request", "number", name="pk_request_address"),
    )
    for column in ("tag", "subject", "ended_at"):
        op.create_index(f"ix_request_address_controller_id_{column}", "request_address", ["controller_id", column])
    op.create_table(
        "request_step",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "request", "number", name="pk_request_step"),
    )
    op.create_index("ix_request_step_controller_id_ended_at", "request_step", ["controller_id", "ended_at"])
    op.create_table(
        "kept_answer",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "request", "subject", name="pk_kept_answer"),
    )
    for column in ("subject", "until"):
        op.create_index(f"ix_kept_answer_controller_id_{column}", "kept_answer", ["controller_id", column])


def downgrade() -> None:
    op.drop_table("kept_answer")
    op.drop_table("request_step")
    op.drop_table("request_address")
    op.drop_table("rights_request")
