"""The exempt store: one date of a person, one count of a campaign, and the day since when dates are kept."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "last_open",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "subject", name="pk_last_open"),
    )
    op.create_table(
        "days_kept",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", name="pk_days_kept"),
    )
    op.create_table(
        "campaign_count",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "campaign", name="pk_campaign_count"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # No write-ahead log, so no history in it, in archives or on standbys. PostgreSQL empties such a table after a
        # crash: dates are allowed to be lost, and `days_kept` goes with them and says so.
        op.execute("ALTER TABLE last_open SET UNLOGGED")
        op.execute("ALTER TABLE days_kept SET UNLOGGED")
        # An update leaves the row's former version in the page until vacuum: it comes after every fifty changes.
        op.execute(
            "ALTER TABLE last_open SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_threshold = 50)"
        )


def downgrade() -> None:
    op.drop_table("campaign_count")
    op.drop_table("days_kept")
    op.drop_table("last_open")
