"""Waves of questions, and who was asked."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "wave",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("wordings", sa.JSON(), nullable=False),
        sa.Column("not_asked", sa.JSON(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "name", name="pk_wave"),
    )
    op.create_table(
        "wave_person",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("wave", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "wave", "subject", name="pk_wave_person"),
    )
    still_open = sa.text("outcome = ''")
    op.create_index("ix_wave_person_controller_id_subject", "wave_person", ["controller_id", "subject"])
    op.create_index("ix_wave_person_controller_id_asked_at", "wave_person", ["controller_id", "asked_at"])
    op.create_index(
        "ix_wave_person_open", "wave_person", ["controller_id", "asked_at"],
        sqlite_where=still_open, postgresql_where=still_open,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("wave_person")
    op.drop_table("wave")
