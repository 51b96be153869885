"""Tombstones: which profiles were erased, by pseudonym, and what became of each erasure.

The id itself is kept only until all is removed and every service has confirmed, because until then
it is needed.
"""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Final

from libs.domain.erasure import Erasure, ServiceErasure
from libs.faults import StartFault
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.scrub import note_deletion

# Beside the receipt: the fingerprint of the key that its pseudonym was made with.
_KEY: Final = "key"


def erased_ids(
    connection: sqlite3.Connection,
    pseudonyms: Pseudonyms,
    tenant: str,
    profile_ids: Collection[str],
) -> set[str]:
    """Those of `profile_ids` that were erased."""
    if not connection.execute("SELECT 1 FROM erasures LIMIT 1").fetchone():
        return set()
    names = {pseudonyms.of(tenant, profile_id): profile_id for profile_id in profile_ids}
    rows = connection.execute(
        "SELECT pseudonym FROM erasures"
        " WHERE tenant = ? AND pseudonym IN (SELECT value FROM json_each(?))",
        (tenant, json.dumps(list(names))),
    ).fetchall()
    return {names[pseudonym] for (pseudonym,) in rows}


def read(connection: sqlite3.Connection, tenant: str, pseudonym: str) -> Erasure | None:
    """The erasure of a profile, if it was erased."""
    row = connection.execute(
        "SELECT receipt FROM erasures WHERE tenant = ? AND pseudonym = ?", (tenant, pseudonym)
    ).fetchone()
    return None if row is None else _decode(row[0])


def open_pseudonyms(connection: sqlite3.Connection, path: Path) -> Pseudonyms:
    """The key of the tombstones; raises StartFault unless it is the one that they were made with.

    With another key every tombstone would be void without anybody knowing.
    """
    row = connection.execute("SELECT receipt FROM erasures LIMIT 1").fetchone()
    pseudonyms = Pseudonyms.of_file(path, may_make=row is None)
    if row is not None and json.loads(row[0])[_KEY] != pseudonyms.fingerprint:
        raise StartFault(f"{path} is not the key that the tombstones were made with")
    return pseudonyms


def write(
    connection: sqlite3.Connection,
    pseudonyms: Pseudonyms,
    tenant: str,
    profile_id: str,
    erasure: Erasure,
) -> None:
    """Create or replace; the id goes when the erasure is complete."""
    note_deletion(connection)
    connection.execute(
        "INSERT OR REPLACE INTO erasures (tenant, pseudonym, profile_id, receipt)"
        " VALUES (?, ?, ?, ?)",
        (
            tenant,
            pseudonyms.of(tenant, profile_id),
            None if erasure.is_complete else profile_id,
            json.dumps({**asdict(erasure), _KEY: pseudonyms.fingerprint}),
        ),
    )


def is_pending(connection: sqlite3.Connection, tenant: str, profile_id: str) -> bool:
    """Whether a profile is erased and may not be gone to the last: nothing is told of it."""
    row = connection.execute(
        "SELECT 1 FROM erasures WHERE tenant = ? AND profile_id = ?", (tenant, profile_id)
    ).fetchone()
    return row is not None


def pending(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """(tenant, profile_id) of every erasure that is not complete."""
    return connection.execute(
        "SELECT tenant, profile_id FROM erasures WHERE profile_id IS NOT NULL"
        " ORDER BY tenant, profile_id"
    ).fetchall()


def _decode(text: str) -> Erasure:
    values = json.loads(text)
    del values[_KEY]
    services = tuple(ServiceErasure(**one) for one in values.pop("services"))
    return Erasure(**values, services=services)
