"""Evidence: the pages on which choices were made, and the mails by which they were confirmed."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_GUARDS_SQLITE = (
    "CREATE TRIGGER screen_no_update BEFORE UPDATE ON screen BEGIN SELECT RAISE(ABORT, 'screen is append-only'); END",
    "CREATE TRIGGER screen_no_delete BEFORE DELETE ON screen BEGIN SELECT RAISE(ABORT, 'screen is append-only'); END",
    "CREATE TRIGGER screen_no_replace BEFORE INSERT ON screen"
    " WHEN EXISTS (SELECT 1 FROM screen WHERE controller_id = NEW.controller_id AND id = NEW.id)"
    " BEGIN SELECT RAISE(ABORT, 'screen is append-only'); END",
)
_GUARDS_POSTGRESQL = (
    "CREATE TRIGGER screen_no_change BEFORE UPDATE OR DELETE ON screen FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER screen_no_truncate BEFORE TRUNCATE ON screen FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    op.create_table(
        "screen",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("first_shown_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_screen"),
    )
    for guard in _GUARDS_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _GUARDS_SQLITE:
        op.execute(guard)
    op.create_table(
        "kept_letter",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "subject", "id", name="pk_kept_letter"),
    )


def downgrade() -> None:
    op.drop_table("kept_letter")
    op.drop_table("screen")  # and its triggers
