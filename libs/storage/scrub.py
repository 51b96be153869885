"""Scrubbing a file of SQLite: nothing is left of rows that were deleted.

`secure_delete` overwrites the rows, and emptying the write-ahead log what was there. When SQLite
balances pages it leaves copies of cells in their slack, too, which only a file that is written
anew is rid of.

A copy may be cut anywhere, so an id is looked for as bytes, and a short one is found in every
longer one: such ids wait for each other, and the file is written anew once for all of them.
"""

import contextlib
import mmap
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

# Writers wait while the write-ahead log is emptied, and that waits for readers: not for long.
_WAIT_S: Final = 0.05
# A file is written anew at most so often, and all writers wait for that.
REWRITE_EVERY_S: Final = 600.0


def note_deletion(connection: sqlite3.Connection) -> None:
    """Mark the file as one to be scrubbed, in the transaction that deletes."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    connection.execute(f"PRAGMA application_id = {mark % 2**30 + 1}")


def scrub(path: Path, erased_ids: Collection[str]) -> bool:
    """Scrub a file that is small enough to be written anew for each id that is found in it.

    False where it has to be tried again: somebody reads or writes, or the disk is full.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_WAIT_S)) as connection:
            if not _empty_log(connection):
                return False
            if not any(_holds(path, erased_id) for erased_id in erased_ids):
                return True
            connection.execute("VACUUM")
            return _empty_log(connection)
    except sqlite3.OperationalError:
        return False


class Scrubber:
    """Scrubs one file; any thread may use it, and waits for another that does."""

    def __init__(
        self,
        path: Path,
        *,
        every_s: float = REWRITE_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The file is there; it is written anew at most every `every_s`."""
        self._path = path
        self._every_s = every_s
        self._clock = clock
        self._next_s = clock()
        # Ids that were found in the file.
        self._found: set[str] = set()
        self._lock = threading.Lock()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            # Whom the process before has not scrubbed is not known any more.
            self._is_anybody_left = _mark(connection) != 0

    def scrub(self, erased_ids: Collection[str]) -> bool:
        """Empty the log, and write the file anew where one of `erased_ids` is still found in it.

        Writes wait for that (0.04 s at 18 MB). False where it has to be tried again: somebody
        reads or writes, the disk is full, or the file was written anew a moment ago.
        """
        try:
            with (
                self._lock,
                contextlib.closing(sqlite3.connect(self._path, timeout=_WAIT_S)) as connection,
            ):
                mark = _mark(connection)
                if not _empty_log(connection):
                    return False
                if self._is_left(erased_ids):
                    if self._clock() < self._next_s:
                        return False
                    connection.execute("VACUUM")
                    self._next_s = self._clock() + self._every_s
                    self._is_anybody_left = False
                    self._found.clear()
                elif not erased_ids:
                    return True
                if not self._found:
                    _forget_mark(connection, mark)
                return _empty_log(connection)
        except sqlite3.OperationalError:
            return False

    def _is_left(self, erased_ids: Collection[str]) -> bool:
        # Those of which it is known are not looked for again.
        if not self._is_anybody_left and self._found.isdisjoint(erased_ids):
            self._found.update(one for one in erased_ids if _holds(self._path, one))
        return self._is_anybody_left or not self._found.isdisjoint(erased_ids)


def _mark(connection: sqlite3.Connection) -> int:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    return int(mark)


def _forget_mark(connection: sqlite3.Connection, mark: int) -> None:
    """Of what was deleted up to then; what was deleted meanwhile has made another one."""
    connection.execute("BEGIN IMMEDIATE")
    if _mark(connection) == mark:
        connection.execute("PRAGMA application_id = 0")
    connection.execute("COMMIT")


def _empty_log(connection: sqlite3.Connection) -> bool:
    is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _holds(path: Path, text: str) -> bool:
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return data.find(text.encode()) >= 0
