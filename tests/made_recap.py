"""Databases of recap for tests: a file, or an empty one of a PostgreSQL server."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.database import Database, open_file, open_server
from libs.storage.recap.outbox_table import WaitingEvent, oldest_events, waiting_tenants
from libs.storage.recap.personal_tables import PersonalTables
from tests.made_databases import PostgresDatabases

KINDS = ("file", "server")


@contextmanager
def made_database(kind: str, folder: Path, servers: PostgresDatabases) -> Iterator[Database]:
    """An empty database of that kind."""
    opened = open_file(folder / "recap.sqlite") if kind == "file" else open_server(servers.empty())
    with closing(opened) as database:
        yield database


def personal_tables_of(database: Database) -> PersonalTables:
    return PersonalTables(database, Pseudonyms(b"k" * 32))


def waiting(database: Database, most: int = 10**6) -> list[WaitingEvent]:
    """Whatever waits in the outbox, by tenant."""
    with database.read() as connection:
        return [
            one
            for tenant in waiting_tenants(connection)
            for one in oldest_events(connection, tenant, most)
        ]


def count_rows(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(
            connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()
        )
