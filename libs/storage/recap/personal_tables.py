"""What recap holds of profiles, whatever the table: erased and exported in one place.

Every table with a `tenant` and a `profile_id` is one of a profile, so a table that is added is
erased and exported without anybody remembering to.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from libs.faults import PartUnavailable, StartFault
from libs.storage.pseudonyms import Pseudonyms
from libs.storage.recap.database import PART, Database
from libs.storage.recap.insertion import insert_absent
from libs.storage.recap.metadata import METADATA
from libs.storage.scrub import scrub

# The first of the two numbers of an advisory lock in PostgreSQL; the second is of a profile.
_PROFILE_LOCK: Final = 7404

_ERASED = sa.Table(
    "erased_profile",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    # HMAC of the id: nobody can tell whose it is, and nothing of that id is taken any more.
    sa.Column("pseudonym", sa.Text, primary_key=True),
)
# Asked by every transaction: making a statement takes longer than SQLite takes for it.
_FIND_ERASED: Final = sa.select(sa.literal(1)).where(
    _ERASED.c.tenant == sa.bindparam("tenant"), _ERASED.c.pseudonym == sa.bindparam("pseudonym")
)

_KEY = sa.Table(
    "recap_key",
    METADATA,
    sa.Column("is_one", sa.Boolean, primary_key=True),
    # Tells the key of the pseudonyms from another one, and nothing else of it.
    sa.Column("fingerprint", sa.Text, nullable=False),
)


class PersonalTables:
    """Erasing and exporting, and who was erased."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._pseudonyms = pseudonyms

    def erase(self, tenant: str, profile_id: str) -> int:
        """Delete all rows of a profile for good; how many. Nothing of it is taken afterwards.

        In SQLite the file is rid of what the rows have left. Raises PartUnavailable, also when
        the file is in use and it has to be tried again.
        """
        pseudonym = self._pseudonyms.of(tenant, profile_id)
        count = 0
        with self._database.write() as connection:
            _lock(connection, pseudonym, "pg_advisory_xact_lock")
            if not self.is_erased(connection, tenant, profile_id):
                connection.execute(sa.insert(_ERASED).values(tenant=tenant, pseudonym=pseudonym))
            for table in personal_tables():
                deleted = connection.execute(
                    sa.delete(table).where(
                        table.c.tenant == tenant, table.c.profile_id == profile_id
                    )
                )
                count += deleted.rowcount
        if self._database.path is not None and not scrub(self._database.path, [profile_id]):
            raise PartUnavailable(PART, "the file is in use")
        return count

    def is_erased(self, connection: sa.Connection, tenant: str, profile_id: str) -> bool:
        """Whether the profile was erased; asked within the transaction that would write of it.

        If it was not, an erasure waits for that transaction, and deletes what it has written.
        """
        pseudonym = self._pseudonyms.of(tenant, profile_id)
        _lock(connection, pseudonym, "pg_advisory_xact_lock_shared")
        found = connection.execute(_FIND_ERASED, {"tenant": tenant, "pseudonym": pseudonym})
        return found.first() is not None

    def export(self, tenant: str, profile_id: str) -> Iterator[str]:
        """A JSON line for each row: {"kind": the table, "data": its columns}."""
        for table in personal_tables():
            with self._database.read() as connection:
                rows = connection.execute(
                    sa.select(table).where(
                        table.c.tenant == tenant, table.c.profile_id == profile_id
                    )
                ).mappings()
                lines = [
                    json.dumps({"kind": table.name, "data": _plain(dict(row))}) for row in rows
                ]
            yield from lines


def open_pseudonyms(database: Database, path: Path) -> Pseudonyms:
    """Those of the key in `path`, which is made for a new database.

    With another key whoever was erased would be taken for somebody new, the hold-out would be
    drawn anew, and replicas would refuse each other's tokens. Raises StartFault for another key,
    or none, than the database was made with.
    """
    try:
        with database.write() as connection:
            known = connection.execute(sa.select(_KEY.c.fingerprint)).scalar()
            is_new = known is None and connection.execute(sa.select(_ERASED)).first() is None
            pseudonyms = Pseudonyms.of_file(path, may_make=is_new)
            # Of replicas that start together the first one's is that of all.
            values = {"is_one": True, "fingerprint": pseudonyms.fingerprint}
            insert_absent(connection, _KEY, values)
            known = connection.execute(sa.select(_KEY.c.fingerprint)).scalar_one()
            if known != pseudonyms.fingerprint:
                raise StartFault(f"{path} is not the key that the recap store was made with")
    except PartUnavailable as fault:
        raise StartFault(f"cannot write the recap store: {fault.metadata['cause']}") from None
    return pseudonyms


def personal_tables() -> list[sa.Table]:
    """Those with a profile in them."""
    return [
        table for table in METADATA.sorted_tables if "tenant" in table.c and "profile_id" in table.c
    ]


def _lock(connection: sa.Connection, pseudonym: str, function: str) -> None:
    """Keep an erasure and whoever writes of the profile apart; in SQLite one writes at a time."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(pseudonym[:8]), "big", signed=True)
        connection.execute(sa.select(getattr(sa.func, function)(_PROFILE_LOCK, number)))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in row.items()
        if name != "tenant"
    }
