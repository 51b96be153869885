"""Connections to the database of the log: one that writes, a pool that reads."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from libs.faults import PartUnavailable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

PART: Final = "events"

# The servicer reads on three threads, and the health of the rest is worth one more.
_MOST_READERS: Final = 4
# A caller's deadline is of seconds; one who waits longer for a connection gets none.
_WAIT_S: Final = 2.0


# A replica whose machine is gone holds its locks no longer than it takes to notice.
_KEEPALIVES: Final = (
    "SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3"
)


def open_writer(url: str, *, most_idle_s: int = 30) -> Connection:
    """A connection on which transactions are begun and ended by hand; raises psycopg.Error.

    A transaction in which nothing happens for `most_idle_s` is ended; 0 is never.
    """
    connection = psycopg.connect(url, autocommit=True, connect_timeout=2)
    connection.execute(_KEEPALIVES)
    connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, false)",
        (f"{most_idle_s}s",),
    )
    # Acknowledged means on disk, whatever the server's default is.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    return connection


class Readers:
    """A pool of connections for any thread; every failure is PartUnavailable."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=_MOST_READERS,
            timeout=_WAIT_S,
            kwargs={"autocommit": True, "connect_timeout": 2},
            # One that died with its server is found before it is handed out.
            check=ConnectionPool.check_connection,
            open=True,
        )

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for the block; raises PartUnavailable for what goes wrong in it."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout) as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def unavailable(error: Exception) -> PartUnavailable:
    """What a caller is told of a failure of the database: one line."""
    return PartUnavailable(PART, " ".join(str(error).split()) or type(error).__name__)
