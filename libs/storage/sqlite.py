"""SQLite as the embedded store: one writer a file, any number of readers beside it."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from libs.faults import PartUnavailable, StartFault
from libs.storage.transaction_lost import TransactionLost

BUSY_TIMEOUT_MS: Final = 2_000

# SYNCHRONOUS FULL: what was acknowledged survives a power cut. Deleted rows are overwritten,
# because viewers may ask to be erased.
WRITER_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    # Pages of the indexes are written by every import batch: 64 MB of log collects them before
    # they are copied (4,096 pages cost an import a tenth of its rate).
    "PRAGMA wal_autocheckpoint = 16384",
)
READER_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA query_only = ON",
    "PRAGMA cache_size = -16384",
)


# (path, mode, pragmas) -> a connection that has been told them.
Connect = Callable[[Path, str, tuple[str, ...]], sqlite3.Connection]


def connect(path: Path, mode: str, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    """Open the file in a URI's `mode` ("rwc", "ro") and say `pragmas` to it."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for pragma in pragmas:
            connection.execute(pragma).fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one file; `version` is raised with every change that old code cannot read.

    `upgrades` leads from an older version, by statements, to a newer one; `advice` says what to
    do with a file of another version, "" where nothing helps.
    """

    version: int
    statements: tuple[str, ...]
    upgrades: Mapping[int, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    advice: Callable[[int], str] = lambda version: ""

    def refusal(self, name: str | Path, found: int) -> str:
        """Why a file of another version is not opened, in one line."""
        advice = self.advice(found)
        line = f"{name} has schema version {found}, this release needs {self.version}"
        return f"{line}; {advice}" if advice else line


class Writer:
    """The one writing connection of a file, for one thread at a time; holds the file's lock."""

    def __init__(self, connection: sqlite3.Connection, lock: IO[str]) -> None:
        self.connection = connection
        self._lock = lock

    def close(self) -> None:
        """Close the file, then let the next writer in."""
        self.connection.close()
        self._lock.close()


def open_writer(
    path: Path,
    schema: Schema,
    *,
    connect: Connect = connect,
    accepts: Callable[[int], bool] = lambda version: False,
) -> Writer:
    """Open the file to write, made new if need be; as it is in a version that is accepted.

    `connect` may put another system below it.

    Raises StartFault, in one line, when another process writes it, when it has another schema
    version, and when it cannot be a database here.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file(path)
    except OSError as error:
        raise StartFault(f"cannot write {path}: {error.strerror}") from None
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path, "rwc", WRITER_PRAGMAS)
        _make_tables(connection, path, schema, accepts)
    except (sqlite3.Error, StartFault) as error:
        if connection is not None:
            connection.close()
        lock.close()
        if isinstance(error, StartFault):
            raise
        raise StartFault(f"cannot write {path}: {error}") from None
    return Writer(connection, lock)


def lock_file(path: Path) -> IO[str]:
    """Hold the lock of a file's one writer until it is closed; raises StartFault."""
    lock = path.with_name(path.name + ".lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StartFault(f"{path} is already written by another process (pid {holder})") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _make_tables(
    connection: sqlite3.Connection, path: Path, schema: Schema, accepts: Callable[[int], bool]
) -> None:
    with transaction(connection):
        found = _version(connection)
        if found == schema.version:
            return
        version, statements = schema.version, schema.statements
        if found or connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            version, statements = schema.upgrades.get(found, (found, ()))
        if version != schema.version and not accepts(version):
            raise StartFault(schema.refusal(path, found))
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


def open_reader(path: Path, schema: Schema, part: str) -> sqlite3.Connection:
    """Open the file to read; raises PartUnavailable(`part`) when it is not there, or another's."""
    try:
        connection = connect(path, "ro", READER_PRAGMAS)
    except sqlite3.Error as error:
        raise PartUnavailable(part, f"{path.name}: {error}") from None
    try:
        found = _version(connection)
    except sqlite3.Error as error:
        connection.close()
        raise PartUnavailable(part, f"{path.name}: {error}") from None
    if found != schema.version:
        connection.close()
        raise PartUnavailable(part, schema.refusal(path.name, found))
    return connection


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's writes or none; inside another one, a part of it that can fail alone.

    Raises TransactionLost from a part that took everything down with it.
    """
    is_outermost = not connection.in_transaction
    connection.execute("BEGIN IMMEDIATE" if is_outermost else "SAVEPOINT part")
    try:
        yield
        connection.execute("COMMIT" if is_outermost else "RELEASE part")
    except BaseException as error:
        # SQLite itself may have rolled back all, such as on a full disk.
        is_lost = not connection.in_transaction
        if is_lost and not is_outermost:
            raise TransactionLost(str(error)) from error
        if not is_lost and is_outermost:
            connection.execute("ROLLBACK")
        elif not is_lost:
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Several reads of one state; short, because the file grows while a snapshot is held."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("COMMIT")


class Readers:
    """One read-only connection a thread, opened when first needed and again when the file is new.

    `connection` raises PartUnavailable as long as the file is not there.
    """

    def __init__(self, path: Path, schema: Schema, part: str) -> None:
        self._path = path
        self._schema = schema
        self._part = part
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._open: list[sqlite3.Connection] = []

    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise PartUnavailable(self._part, f"{self._path.name}: {error.strerror}") from None
        identity = (status.st_dev, status.st_ino)
        if getattr(self._mine, "identity", None) != identity:
            self._reopen(identity)
        connection: sqlite3.Connection = self._mine.connection
        return connection

    def _reopen(self, identity: tuple[int, int]) -> None:
        stale: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        connection = open_reader(self._path, self._schema, self._part)
        with self._lock:
            self._open.append(connection)
            if stale is not None:
                self._open.remove(stale)
        if stale is not None:
            stale.close()
        self._mine.connection, self._mine.identity = connection, identity

    def close(self) -> None:
        """Close every thread's connection; nobody may be reading."""
        with self._lock:
            while self._open:
                self._open.pop().close()
        self._mine = threading.local()
