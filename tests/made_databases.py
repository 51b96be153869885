"""Empty databases with all tables, made in milliseconds from a template."""

import contextlib
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from libs.storage.postgres.event_store import PostgresEventStore
from libs.storage.postgres.identities import Identities, open_identities
from libs.storage.postgres.migration import migrate
from libs.storage.recorded_log import LogServer, RecordedLog, open_log
from tests.made_servers import PostgresServer

_TEMPLATE: Final = "migrated"
# The stores of one example of a property, and one to spare.
_MOST_OPEN: Final = 4


class PostgresDatabases:
    """Hands out empty databases of one server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._made = 0
        self._spare: list[str] = []
        self._admin = psycopg.connect(server.url(), autocommit=True)
        self._folder = tempfile.TemporaryDirectory()
        self._admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate(server.url(_TEMPLATE))
        self.identities(server.url(_TEMPLATE)).close()

    def fresh(self) -> str:
        """The URL of a database with all tables and no rows."""
        if not self._spare:
            return self._new(f"TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        url = self._spare.pop()
        with psycopg.connect(url) as connection:
            connection.execute(
                "TRUNCATE events, event_ids, batches, decisions, profiles,"
                " erasures, withdrawn, identities, compactions, compacted_ids, profile_bases,"
                " title_bases, profile_days, title_shares, withdrawn_shares, followed"
            )
        return url

    def give_back(self, url: str) -> None:
        """Let another one have a fresh database, which is quicker than to make one."""
        self._spare.append(url)

    @property
    def secret(self) -> Path:
        """The file of the secret that the identities of all databases are made with."""
        return Path(self._folder.name) / "secret.key"

    def identities(self, url: str) -> Identities:
        """Those of a database."""
        return open_identities(url, self.secret, may_make=True)

    def store(self, url: str) -> PostgresEventStore:
        """One of the writers of a database."""
        return PostgresEventStore(url, self.identities(url))

    def reader(self, url: str) -> RecordedLog:
        """A reader of a database."""
        return open_log(Path("nowhere"), LogServer(url, url, self.secret))

    def empty(self) -> str:
        """The URL of a new database without any table."""
        return self._new("")

    def _new(self, options: LiteralString) -> str:
        self._made += 1
        name = f"test{self._made}"
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), sql.SQL(options))
        )
        return self._server.url(name)

    @contextlib.contextmanager
    def fresh_stores(self) -> Iterator[Callable[[], PostgresEventStore]]:
        """Makes stores on databases of their own; the last few are open."""
        stores: deque[tuple[PostgresEventStore, str]] = deque()

        def give_back() -> None:
            store, url = stores.popleft()
            store.close()
            self.give_back(url)

        def make() -> PostgresEventStore:
            if len(stores) == _MOST_OPEN:
                give_back()
            url = self.fresh()
            stores.append((self.store(url), url))
            return stores[-1][0]

        yield make
        while stores:
            give_back()

    def close(self) -> None:
        self._admin.close()
        self._folder.cleanup()
