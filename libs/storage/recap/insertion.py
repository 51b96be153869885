"""Inserting a row unless its key is there, in the words of either database."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_absent(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """Insert a row whose primary key nobody has; whether it was new.

    In PostgreSQL it waits for another transaction that inserts the same key.
    """
    statement = _insertion(table, connection.dialect.name)
    return connection.execute(statement, values).first() is not None


@lru_cache
def _insertion(table: sa.Table, dialect_name: str) -> sa.Executable:
    """The statement; making one anew takes longer than SQLite takes for it."""
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    statement: sa.Executable
    # Not the row count, which a driver need not know.
    statement = dialect.insert(table).on_conflict_do_nothing().returning(sa.literal(1))
    return statement
