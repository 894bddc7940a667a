"""Moving in: how far a file has come, and the evidence that a list brings along."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_GUARDS_SQLITE = (
    "CREATE TRIGGER import_evidence_no_update BEFORE UPDATE ON import_evidence"
    " BEGIN SELECT RAISE(ABORT, 'import_evidence is append-only'); END",
    "CREATE TRIGGER import_evidence_no_delete BEFORE DELETE ON import_evidence"
    " BEGIN SELECT RAISE(ABORT, 'import_evidence is append-only'); END",
    "CREATE TRIGGER import_evidence_no_replace BEFORE INSERT ON import_evidence"
    " WHEN EXISTS (SELECT 1 FROM import_evidence WHERE controller_id = NEW.controller_id AND id = NEW.id)"
    " BEGIN SELECT RAISE(ABORT, 'import_evidence is append-only'); END",
)
_GUARDS_POSTGRESQL = (
    "CREATE TRIGGER import_evidence_no_change BEFORE UPDATE OR DELETE ON import_evidence"
    " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER import_evidence_no_truncate BEFORE TRUNCATE ON import_evidence"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    op.create_table(
        "import_run",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("report_bytes", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_import_run"),
    )
    op.create_table(
        "import_evidence",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "id", name="pk_import_evidence"),
    )
    for guard in _GUARDS_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _GUARDS_SQLITE:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("import_evidence")  # and its triggers
    op.drop_table("import_run")
