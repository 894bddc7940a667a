"""Wordings: the words on which choices were made."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_GUARDS_SQLITE = (
    "CREATE TRIGGER wording_no_update BEFORE UPDATE ON wording BEGIN SELECT RAISE(ABORT, 'wording is append-only'); END",
    "CREATE TRIGGER wording_no_delete BEFORE DELETE ON wording BEGIN SELECT RAISE(ABORT, 'wording is append-only'); END",
    "CREATE TRIGGER wording_no_replace BEFORE INSERT ON wording"
    " WHEN EXISTS (SELECT 1 FROM wording WHERE controller_id = NEW.controller_id AND id = NEW.id)"
    " BEGIN SELECT RAISE(ABORT, 'wording is append-only'); END",
)
_GUARDS_POSTGRESQL = (
    "CREATE TRIGGER wording_no_change BEFORE UPDATE OR DELETE ON wording FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER wording_no_truncate BEFORE TRUNCATE ON wording FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    op.create_table(
        "wording",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("first_shown_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_wording"),
    )
    for guard in _GUARDS_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _GUARDS_SQLITE:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("wording")  # and its triggers
