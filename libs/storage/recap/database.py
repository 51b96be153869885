"""The database of recap: SQLite below the suite's home, or PostgreSQL by its URL."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import sqlalchemy as sa

from libs.faults import PartUnavailable, StartFault
from libs.storage.recap.metadata import METADATA
from libs.storage.server_extra import server_extra
from libs.storage.sqlite import READER_PRAGMAS, WRITER_PRAGMAS, lock_file

PART: Final = "recap store"

# Raised with every change to the tables that old code cannot read.
SCHEMA_VERSION: Final = 1

_MOST_READERS: Final = 8

_SCHEMA = sa.Table("recap_schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))

# Any number that no other lock of this database has: one replica makes the tables.
_TABLES_LOCK: Final = 7403


class Database:
    """Transactions that write and snapshots that read, from any thread.

    In SQLite one transaction writes at a time and this process is the only writer; in PostgreSQL
    any number of replicas write, and rows that two of them want are settled by constraints.
    """

    def __init__(
        self, writer: sa.Engine, reader: sa.Engine, *, path: Path | None, lock: IO[str] | None
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self.path = path  # of the file; None in PostgreSQL

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """All of the block's writes, durable at its end, or none; raises PartUnavailable."""
        with _told(), self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write_unsynced(self) -> Iterator[sa.Connection]:
        """As `write`, but nobody waits for the disk: for what may be begun anew.

        Everybody sees it at once, and it outlives this process; should the machine die within
        the next moments, it may be lost whole. Raises PartUnavailable.
        """
        with _told(), self._writer.connect() as connection:
            if self.path is None:
                with connection.begin():
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    yield connection
                return
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101 - it was just taken out of the pool
            driver.execute("PRAGMA synchronous = NORMAL")
            try:
                with connection.begin():
                    yield connection
            finally:
                driver.execute("PRAGMA synchronous = FULL")

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Reads of one state; raises PartUnavailable."""
        with _told(), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; nobody may be reading or writing."""
        self._reader.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.close()


def open_file(path: Path) -> Database:
    """The database in an SQLite file, made if need be; raises StartFault, also when it is held."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file(path)
    except OSError as error:
        raise StartFault(f"cannot write {path}: {error.strerror}") from None
    url = sa.URL.create("sqlite", database=str(path.absolute()))
    # One connection writes: in WAL a second one could only wait for it.
    writer = _with_pragmas(
        sa.create_engine(
            url,
            poolclass=sa.QueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={"check_same_thread": False},
        ),
        WRITER_PRAGMAS,
        "BEGIN IMMEDIATE",
    )
    reader = _with_pragmas(
        sa.create_engine(
            url,
            poolclass=sa.QueuePool,
            pool_size=_MOST_READERS,
            max_overflow=0,
            connect_args={"check_same_thread": False},
        ),
        READER_PRAGMAS,
        "BEGIN",
    )
    database = Database(writer, reader, path=path, lock=lock)
    _open_tables(database, str(path))
    return database


def open_server(url: str) -> Database:
    """The database of a PostgreSQL server; raises StartFault."""
    with server_extra():
        import psycopg  # noqa: F401 - SQLAlchemy imports it late, and with a page of trace
    try:
        given = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise StartFault("bad settings: REPRISE_RECAP_URL: is no URL") from None
    if given.get_backend_name() not in ("postgres", "postgresql"):
        raise StartFault("bad settings: REPRISE_RECAP_URL: must begin with postgresql://")
    address = given.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(
        address,
        pool_size=_MOST_READERS,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 2},
    )
    reader = engine.execution_options(isolation_level="REPEATABLE READ")
    database = Database(engine, reader, path=None, lock=None)
    _open_tables(database, address.render_as_string(hide_password=True))
    return database


def _open_tables(database: Database, where: str) -> None:
    try:
        with database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TABLES_LOCK)))
            METADATA.create_all(connection)
            found = connection.execute(sa.select(_SCHEMA.c.version)).scalar()
            if found is None:
                connection.execute(sa.insert(_SCHEMA).values(version=SCHEMA_VERSION))
            elif found != SCHEMA_VERSION:
                # Within the transaction: a file of another version is left as it was.
                raise StartFault(
                    f"{where} has schema version {found}, this release needs {SCHEMA_VERSION}"
                )
    except PartUnavailable as fault:
        database.close()
        raise StartFault(f"cannot write {where}: {fault.metadata['cause']}") from None
    except StartFault:
        database.close()
        raise


def _with_pragmas(engine: sa.Engine, pragmas: tuple[str, ...], begin: str) -> sa.Engine:
    """Python's sqlite3 must not begin transactions by itself: SQLAlchemy's own recipe."""

    @sa.event.listens_for(engine, "connect")
    def tell(connection: Any, record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma).fetchall()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise _unavailable(error) from error
    except sa.exc.DatabaseError as error:
        # Nothing more special than this is a file that is damaged, or is no database.
        if type(error) is not sa.exc.DatabaseError:
            raise
        raise _unavailable(error) from error


def _unavailable(error: sa.exc.SQLAlchemyError) -> PartUnavailable:
    cause = getattr(error, "orig", None) or error
    return PartUnavailable(PART, " ".join(str(cause).split()))
