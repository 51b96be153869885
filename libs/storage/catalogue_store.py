"""The catalogue in SQLite: one row a title, also for one that is gone, with its last change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from libs.domain.title import Title
from libs.storage.sqlite import Schema, open_reader, open_writer, transaction
from libs.storage.title_json import decode_title, encode_title

# The sequence of a catalogue that was never written to; 0 is free to mean "from the beginning".
FIRST_SEQUENCE: Final = 1

CATALOGUE_SCHEMA: Final = Schema(
    1,
    (
        """
        CREATE TABLE titles (
            tenant TEXT NOT NULL,
            title_id TEXT NOT NULL,
            sequence INTEGER NOT NULL,  -- of its last change; distinct within a tenant
            body TEXT,                  -- NULL once deleted
            PRIMARY KEY (tenant, title_id)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX titles_by_sequence ON titles (tenant, sequence)",
    ),
)


@dataclass(frozen=True, slots=True)
class CatalogueChanges:
    """Titles changed since a sequence, each as it is now; `sequence` covers all of them."""

    titles: tuple[Title, ...]
    deleted_ids: tuple[str, ...]
    sequence: int


class SqliteCatalogueStore:
    """The catalogue in one file, written by this process alone.

    May be used by any thread, one at a time.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises StartFault when another process writes it."""
        self._writer = open_writer(path, CATALOGUE_SCHEMA)
        self._connection = self._writer.connection

    def close(self) -> None:
        """Close the file and give its lock back."""
        self._writer.close()

    def upsert(self, tenant: str, titles: Sequence[Title]) -> int:
        """Create or replace distinct titles, all or none; returns the sequence after it."""
        with transaction(self._connection):
            before = self.sequence(tenant)
            self._connection.executemany(
                "INSERT OR REPLACE INTO titles VALUES (?, ?, ?, ?)",
                [
                    (tenant, title.title_id, sequence, encode_title(title))
                    for sequence, title in enumerate(titles, before + 1)
                ],
            )
        return before + len(titles)

    def delete(self, tenant: str, title_ids: Sequence[str]) -> tuple[int, int]:
        """Remove what exists of distinct ids; returns how many, and the sequence after it."""
        with transaction(self._connection):
            before = self.sequence(tenant)
            existing = [title.title_id for title in self.get(tenant, title_ids)]
            self._connection.executemany(
                "UPDATE titles SET body = NULL, sequence = ? WHERE tenant = ? AND title_id = ?",
                [
                    (sequence, tenant, title_id)
                    for sequence, title_id in enumerate(existing, before + 1)
                ],
            )
        return len(existing), before + len(existing)

    def get(self, tenant: str, title_ids: Sequence[str]) -> list[Title]:
        """Those that exist, in the order asked for."""
        return [
            decode_title(body)
            for title_id in title_ids
            for (body,) in self._rows(
                "SELECT body FROM titles WHERE tenant = ? AND title_id = ? AND body IS NOT NULL",
                (tenant, title_id),
            )
        ]

    def list_after(self, tenant: str, after_id: str, most: int) -> list[Title]:
        """The next titles in ascending order of id."""
        return [
            decode_title(body)
            for (body,) in self._rows(
                "SELECT body FROM titles WHERE tenant = ? AND title_id > ? AND body IS NOT NULL"
                " ORDER BY title_id LIMIT ?",
                (tenant, after_id, most),
            )
        ]

    def count(self, tenant: str) -> int:
        """How many titles there are."""
        [(count,)] = self._rows(
            "SELECT count(*) FROM titles WHERE tenant = ? AND body IS NOT NULL", (tenant,)
        )
        return int(count)

    def sequence(self, tenant: str) -> int:
        """The sequence of the last change; FIRST_SEQUENCE before it."""
        [(newest,)] = self._rows("SELECT max(sequence) FROM titles WHERE tenant = ?", (tenant,))
        return int(newest or FIRST_SEQUENCE)

    def changes(self, tenant: str, after_sequence: int, most: int) -> CatalogueChanges:
        """The next changes in the order of sequence; empty, and with that of now, at the end."""
        rows = self._rows(
            "SELECT title_id, sequence, body FROM titles"
            " WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (tenant, after_sequence, most),
        )
        return CatalogueChanges(
            titles=tuple(decode_title(body) for _, _, body in rows if body is not None),
            deleted_ids=tuple(title_id for title_id, _, body in rows if body is None),
            sequence=rows[-1][1] if rows else max(after_sequence, FIRST_SEQUENCE),
        )

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()


def read_catalogue(path: Path, tenant: str) -> list[Title]:
    """All titles in ascending order of id, read beside the process that writes the file.

    Raises PartUnavailable when there is no catalogue.
    """
    connection = open_reader(path, CATALOGUE_SCHEMA, "catalogue")
    try:
        rows = connection.execute(
            "SELECT body FROM titles WHERE tenant = ? AND body IS NOT NULL ORDER BY title_id",
            (tenant,),
        ).fetchall()
    finally:
        connection.close()
    return [decode_title(body) for (body,) in rows]
