"""Inserting a row unless its key is there, in the words of either database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_absent(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """Insert a row whose primary key nobody has; whether it was new.

    In PostgreSQL it waits for another transaction that inserts the same key.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(values).on_conflict_do_nothing()
    # Not the row count, which a driver need not know.
    return connection.execute(statement.returning(sa.literal(1))).first() is not None
