"""The first tables: choices and their ledger, mails, hits, and the evidence of what was deleted."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# The ledger only grows. SQLite lets REPLACE delete without a delete trigger, so a taken key is refused, too.
_GUARDS_SQLITE = (
    "CREATE TRIGGER consent_event_no_update BEFORE UPDATE ON consent_event"
    " BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END",
    "CREATE TRIGGER consent_event_no_delete BEFORE DELETE ON consent_event"
    " BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END",
    "CREATE TRIGGER consent_event_no_replace BEFORE INSERT ON consent_event"
    " WHEN EXISTS (SELECT 1 FROM consent_event"
    " WHERE controller_id = NEW.controller_id AND sequence = NEW.sequence)"
    " BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END",
)
_GUARDS_POSTGRESQL = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER consent_event_no_change BEFORE UPDATE OR DELETE ON consent_event"
    " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER consent_event_no_truncate BEFORE TRUNCATE ON consent_event"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    _people_and_choices()
    _ledger()
    _mails()
    _hits()
    _spool()
    _evidence()
    _erasure()


def _people_and_choices() -> None:
    op.create_table(
        "subject",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "reference", name="pk_subject"),
    )
    op.create_table(
        "consent_state",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("objected_at", sa.BigInteger(), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column("mail_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("signal_on", sa.Date(), nullable=True),
        sa.Column("signal_waived_at", sa.BigInteger(), nullable=True),
        sa.Column("address_collected_on", sa.Date(), nullable=True),
        sa.Column("legacy_notice_on", sa.Date(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("erase_due", sa.BigInteger(), nullable=True),
        sa.Column("erase_purposes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "subject", name="pk_consent_state"),
    )
    due = sa.text("erase_due IS NOT NULL")
    op.create_index(
        "ix_consent_state_erase_due",
        "consent_state",
        ["controller_id", "erase_due"],
        sqlite_where=due,
        postgresql_where=due,
    )


def _ledger() -> None:
    op.create_table(
        "consent_event",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("proof_tag", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "sequence", name="pk_consent_event"),
    )
    op.create_index("ix_consent_event_controller_id_subject", "consent_event", ["controller_id", "subject"])
    op.create_index("ix_consent_event_controller_id_proof_tag", "consent_event", ["controller_id", "proof_tag"])
    op.create_table(
        "chain_head",
        sa.Column("controller_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", name="pk_chain_head"),
    )
    for guard in _GUARDS_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _GUARDS_SQLITE:
        op.execute(guard)


def _mails() -> None:
    op.create_table(
        "mailing",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("mail_type", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("policy_hash", sa.String(64), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("consent_sequence", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "message", name="pk_mailing"),
    )
    op.create_index("ix_mailing_controller_id_subject", "mailing", ["controller_id", "subject"])
    op.create_index("ix_mailing_controller_id_prepared_at", "mailing", ["controller_id", "prepared_at"])


def _hits() -> None:
    op.create_table(
        "hit",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("policy_prefix", sa.BigInteger(), nullable=False),
        sa.Column("engagement", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("network", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("day", "segment", "offset", name="pk_hit"),
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hit_controller_id_subject", "hit", ["controller_id", "subject"])
    has_network = sa.text("network IS NOT NULL")
    op.create_index(
        "ix_hit_network",
        "hit",
        ["controller_id", "day"],
        sqlite_where=has_network,
        postgresql_where=has_network,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE hit_default PARTITION OF hit DEFAULT")


def _spool() -> None:
    op.create_table(
        "spool_cursor",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.String(32), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_spool_cursor"),
        sa.UniqueConstraint("segment_id", name="uq_spool_cursor_segment_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "spool_node",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("drained_through", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("skew", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_spool_node"),
    )
    op.create_table(
        "decline_count",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "day", "reason", name="pk_decline_count"),
    )


def _evidence() -> None:
    op.create_table(
        "purge_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purged", sa.String(), nullable=False),
        sa.Column("data_class", sa.String(), nullable=False),
        sa.Column("cutoff", sa.Date(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purge_run"),
    )
    op.create_table(
        "key_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_event"),
    )
    op.create_table(
        "policy_version",
        sa.Column("prefix", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("first_used", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name="pk_policy_version"),
    )
    op.create_table(
        "sign_off",
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("texts_hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("law_version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("locale", "texts_hash", name="pk_sign_off"),
    )


def _erasure() -> None:
    op.create_table(
        "erasure_intent",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("controller_id", "subject", name="pk_erasure_intent"),
    )
    op.create_table(
        "suppression",
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("controller_id", "tag", name="pk_suppression"),
    )


def downgrade() -> None:
    for table in (
        "suppression",
        "erasure_intent",
        "sign_off",
        "policy_version",
        "key_event",
        "purge_run",
        "decline_count",
        "spool_node",
        "spool_cursor",
        "hit",  # and its partitions
        "mailing",
        "chain_head",
        "consent_event",  # and its triggers
        "consent_state",
        "subject",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
