"""Reading every column of every table, as a search for what should not be there any more does."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from consent_track.domain.errors import StorageUnavailable

from .database import read
from .datamap import HOLDINGS
from .engines import available
from .tables import Store

Cell = tuple[str, str, Any]  # table, column, value


def cells(engine: Engine, store: Store) -> Iterator[Cell]:
    """Every value of a store that is not empty, with where it stands."""
    for table in sorted((one for one in HOLDINGS if one.metadata is store.metadata), key=lambda one: one.name):
        with read(engine) as session:
            rows = session.connection().execution_options(yield_per=1_000).execute(select(table))
            for row in rows:
                for column, value in row._mapping.items():
                    if value is not None:
                        yield table.name, column, value


def files_of(engine: Engine) -> list[str]:
    """The files of a SQLite store with its journals; for PostgreSQL, its data directory, where the role may ask."""
    if engine.dialect.name == "sqlite":
        path = str(engine.url.database)
        return [path, f"{path}-wal", f"{path}-shm", f"{path}-journal"]
    try:
        with available(), engine.connect() as connection:
            return [str(connection.execute(text("SHOW data_directory")).scalar_one())]
    except (StorageUnavailable, ProgrammingError):
        return []
