"""Runs migrations on the connection that `records.schema` hands over; both stores use this file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], **context.config.attributes["options"])
with context.begin_transaction():
    context.run_migrations()
