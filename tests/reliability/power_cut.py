"""A file system below SQLite that forgets, when the power is cut, whatever was not synced."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import apsw

from libs.storage.sqlite import Connect

# A write at an offset, or the size that the file was cut to.
Change = tuple[int, bytes] | int


class Image:
    """One file as the disk holds it, and what has been written to it since the last sync."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.unsynced: list[Change] = []

    def sync(self) -> None:
        """What was written is on the disk."""
        self.durable = applied(self.durable, self.unsynced)
        self.unsynced.clear()

    def after_cut(self, random: Random, chance: float) -> bytes:
        """What is left: each unsynced write survives by `chance`, one in five of those in part."""
        survived: list[Change] = []
        for change in self.unsynced:
            if random.random() >= chance:
                continue
            if isinstance(change, tuple) and random.random() < 0.2:
                offset, data = change
                change = (offset, data[: random.randrange(len(data) + 1)])
            survived.append(change)
        return bytes(applied(bytearray(self.durable), survived))


def applied(content: bytearray, changes: Iterable[Change]) -> bytearray:
    """The content after the changes, in place."""
    for change in changes:
        if isinstance(change, int):
            del content[change:]
            continue
        offset, data = change
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data
    return content


class Disk(apsw.VFS):
    """Passes everything on to the real file system, and knows what a power cut would leave.

    `before` is called ahead of every write, cut and sync; it may raise, as a full disk does.
    """

    def __init__(self, name: str, before: Callable[[], None]) -> None:
        self.name = name
        self.before = before
        self.images: dict[str, Image] = {}
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "DiskFile":  # noqa: N802 - apsw's name
        path = name if isinstance(name, str) or name is None else name.filename()
        image = Image() if path is None else self.images.setdefault(Path(path).name, Image())
        return DiskFile(self, image, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's name
        self.images.pop(Path(filename).name, None)
        super().xDelete(filename, syncdir)

    def cut(self, folder: Path, random: Random, chance: float) -> None:
        """Write what a power cut at this moment may leave into `folder`."""
        folder.mkdir(parents=True)
        for name, image in self.images.items():
            (folder / name).write_bytes(image.after_cut(random, chance))


class DiskFile(apsw.VFSFile):
    """One open file of a Disk."""

    def __init__(self, disk: Disk, image: Image, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._image = image
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        self._disk.before()
        super().xWrite(data, offset)
        self._image.unsynced.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        self._disk.before()
        super().xTruncate(newsize)
        self._image.unsynced.append(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        self._disk.before()
        super().xSync(flags)
        self._image.sync()


class Connection:
    """A connection of apsw, as far as the store uses one of sqlite3."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self._told(lambda: self._connection.execute(sql, tuple(parameters)))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Any:
        return self._told(lambda: self._connection.executemany(sql, rows))

    def close(self) -> None:
        self._connection.close()

    def _told(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error


def on_disk(disk: Disk, *more: str) -> Connect:
    """Opens files on `disk`, with `more` pragmas."""

    def connect(path: Path, mode: str, pragmas: tuple[str, ...]) -> sqlite3.Connection:
        connection: Any = Connection(
            apsw.Connection(
                f"{path.absolute().as_uri()}?mode={mode}",
                flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI,
                vfs=disk.name,
            )
        )
        # A file system in Python shares no memory, so the log's index is the connection's own.
        for pragma in ("PRAGMA locking_mode = EXCLUSIVE", *pragmas, *more):
            connection.execute(pragma).fetchall()
        opened: sqlite3.Connection = connection
        return opened

    return connect
