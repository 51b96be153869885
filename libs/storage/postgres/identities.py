"""Identities: the number that stands for a profile in the log, and the key of what is sealed there.

They are in a store of their own, beside the log or in a database of its own, under a pseudonym, and
encrypted themselves under the secret of the suite. Whose identity is destroyed is nobody any more:
also not in copies of the log that nothing can reach, such as backups and write-ahead logs.
AES-256-GCM (NIST SP 800-38D) with random nonces; a profile would need 2^32 events to wear one out.
"""

import contextlib
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.faults import StartFault
from libs.storage.postgres.database import Connection, open_writer, unavailable
from libs.storage.postgres.migration import KEYS, migrate
from libs.storage.pseudonyms import KEY_BYTES, Pseudonyms

# About 400 bytes each; who is not held is looked for again.
MOST_HELD: Final = 50_000

_NONCE_BYTES: Final = 12
_PERSON_BITS: Final = 63
# A partition that somebody reads for longer is written anew the next time.
_WAIT: Final = "SET lock_timeout = '1s'"
_NEITHER: Final = "another one than the store of keys was made with"


@dataclass(frozen=True, slots=True)
class Identity:
    """One profile, as long as it is not destroyed."""

    person: int
    profile_id: str
    _key: bytes = field(repr=False)

    def seal(self, data: bytes, about: str) -> bytes:
        """Encrypt `data`; it can be opened only as what it is `about`."""
        return _seal(self._key, data, about)

    def open(self, sealed: bytes, about: str) -> bytes:
        """The inverse of `seal`; raises cryptography's InvalidTag for anything else."""
        return _open(self._key, sealed, about)


class Identities:
    """Those of all tenants, for any thread; every method raises PartUnavailable."""

    def __init__(self, url: str, pseudonyms: Pseudonyms, *, most_held: int = MOST_HELD) -> None:
        self._url = url
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._pseudonyms = pseudonyms
        self._wrapping = pseudonyms.key_for("identities")
        self._most_held = most_held
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Identity] = OrderedDict()
        self._by_person: dict[tuple[str, int], Identity] = {}

    def close(self) -> None:
        """Close the connection; nobody may be asking."""
        if self._connection is not None:
            self._connection.close()

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Under which identities are found."""
        return self._pseudonyms

    def found(self, tenant: str, profile_ids: Collection[str]) -> dict[str, Identity]:
        """The identities that these profiles have."""
        held = self._held_of(tenant, profile_ids)
        wanted = [
            self._pseudonyms.of(tenant, profile_id)
            for profile_id in profile_ids
            if profile_id not in held
        ]
        if wanted:
            read = self._read(tenant, "pseudonym = ANY(%s)", (wanted,))
            held.update((one.profile_id, one) for one in read)
        return held

    def made(self, tenant: str, profile_ids: Collection[str]) -> dict[str, Identity]:
        """As `found`, and new ones for those who have none; who was destroyed is left out."""
        held = self.found(tenant, profile_ids)
        missing = sorted(set(profile_ids) - held.keys())
        if missing:
            rows = sorted(self._fresh(tenant, profile_id) for profile_id in missing)
            # Another replica may make the same at the same time: the first one counts.
            self._run(
                "INSERT INTO identities (tenant, pseudonym, person, sealed)"
                " SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::bytea[])"
                " AS new (pseudonym, person, sealed) WHERE NOT EXISTS (SELECT FROM identities"
                " AS other WHERE other.tenant = %s AND other.person = new.person)"
                " ON CONFLICT DO NOTHING RETURNING 1",
                (tenant, *map(list, zip(*rows, strict=True)), tenant),
            )
            held.update(self.found(tenant, missing))
        return held

    def of_persons(self, tenant: str, persons: Iterable[int]) -> dict[int, Identity]:
        """The identities of those numbers; of some there may be none any more."""
        wanted = set(persons)
        with self._lock:
            found = {
                person: self._by_person[tenant, person]
                for person in wanted
                if (tenant, person) in self._by_person
            }
        missing = list(wanted - found.keys())
        if missing:
            read = self._read(tenant, "person = ANY(%s::bigint[])", (missing,))
            found.update((one.person, one) for one in read)
        return found

    def of_pseudonyms(self, tenant: str, pseudonyms: Sequence[str]) -> list[Identity]:
        """The identities behind pseudonyms, as far as there are any."""
        return self._read(tenant, "pseudonym = ANY(%s)", (list(pseudonyms),))

    def everyone(self, tenant: str) -> list[Identity]:
        """All of a tenant, ascending by profile_id; a pass over the whole store."""
        rows = self._run(
            "SELECT person, sealed, pseudonym FROM identities"
            " WHERE tenant = %s AND sealed IS NOT NULL",
            (tenant,),
        )
        return sorted((self._opened(row) for row in rows), key=lambda one: one.profile_id)

    def destroy(self, tenant: str, pseudonym: str) -> None:
        """Make an identity unreadable for good; nothing happens where there is none."""
        rows = self._run(
            "UPDATE identities SET sealed = NULL"
            " WHERE tenant = %s AND pseudonym = %s AND sealed IS NOT NULL RETURNING person",
            (tenant, pseudonym),
        )
        with self._lock:
            for (person,) in rows:
                gone = self._by_person.pop((tenant, person), None)
                if gone is not None:
                    del self._held[tenant, gone.profile_id]

    def destroyed(self, tenant: str, profile_ids: Collection[str]) -> dict[str, int]:
        """Those whose identity was destroyed, with the numbers that stood for them."""
        names = {self._pseudonyms.of(tenant, profile_id): profile_id for profile_id in profile_ids}
        rows = self._run(
            "SELECT pseudonym, person FROM identities"
            " WHERE tenant = %s AND pseudonym = ANY(%s) AND sealed IS NULL",
            (tenant, list(names)),
        )
        return {names[pseudonym]: person for pseudonym, person in rows}

    def scrub(self) -> bool:
        """Write anew what destroyed keys are still in; False where that has to be tried again."""
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as connection:
                waiting = connection.execute(
                    # What an old snapshot can still see would be written anew with the rest.
                    "SELECT tableoid::regclass::text, array_agg(tenant), array_agg(pseudonym),"
                    " bool_and(age(xmin) > coalesce((SELECT max(age(backend_xmin))"
                    " FROM pg_stat_activity WHERE pid <> pg_backend_pid()), 0)) FROM identities"
                    " WHERE sealed IS NULL AND NOT is_scrubbed GROUP BY tableoid"
                ).fetchall()
                done = [_write_anew(connection, *one) for one in waiting]
        except psycopg.Error as error:
            raise unavailable(error) from error
        return all(done)

    def _run(self, query: LiteralString, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """The rows of a statement that may be run twice; on a new connection if the old is gone."""
        with self._turn:
            with contextlib.suppress(psycopg.OperationalError):
                return self._executed(query, values)
            try:
                return self._executed(query, values)
            except psycopg.Error as error:
                raise unavailable(error) from error

    def _executed(self, query: LiteralString, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = open_writer(self._url)
        try:
            return self._connection.execute(query, values).fetchall()
        except psycopg.OperationalError:
            self._connection.close()
            raise

    def _held_of(self, tenant: str, profile_ids: Collection[str]) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        with self._lock:
            for profile_id in profile_ids:
                identity = self._held.get((tenant, profile_id))
                if identity is not None:
                    self._held.move_to_end((tenant, profile_id))
                    found[profile_id] = identity
        return found

    def _read(
        self, tenant: str, condition: LiteralString, values: tuple[object, ...]
    ) -> list[Identity]:
        rows = self._run(
            "SELECT person, sealed, pseudonym FROM identities"  # noqa: S608  constants
            f" WHERE tenant = %s AND {condition} AND sealed IS NOT NULL",
            (tenant, *values),
        )
        found = [self._opened(row) for row in rows]
        with self._lock:
            for one in found:
                self._held[tenant, one.profile_id] = self._by_person[tenant, one.person] = one
            while len(self._held) > self._most_held:
                (whose, _), gone = self._held.popitem(last=False)
                self._by_person.pop((whose, gone.person), None)
        return found

    def _fresh(self, tenant: str, profile_id: str) -> tuple[str, int, bytes]:
        pseudonym = self._pseudonyms.of(tenant, profile_id)
        data = secrets.token_bytes(KEY_BYTES) + profile_id.encode()
        return pseudonym, secrets.randbits(_PERSON_BITS), _seal(self._wrapping, data, pseudonym)

    def _opened(self, row: tuple[Any, ...]) -> Identity:
        person, sealed, pseudonym = row
        data = _open(self._wrapping, sealed, pseudonym)
        return Identity(person, data[KEY_BYTES:].decode(), data[:KEY_BYTES])


def open_identities(url: str, secret: Path, *, may_make: bool) -> Identities:
    """Those of a database, under the secret in a file that all replicas hold.

    Tables and the file are made where they are missing and that `may_make`. Raises StartFault
    when the file is missing or holds another secret than the identities were made with.
    """
    if may_make:
        migrate(url, KEYS)
    elif not secret.exists():
        raise StartFault(f"{secret} is missing: without it nobody can read the log in PostgreSQL")
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute("SELECT fingerprint FROM identity_secret").fetchone()
            pseudonyms = Pseudonyms.of_file(secret, may_make=may_make and row is None)
            if row is None:
                # Of replicas that start together the first one's is that of all.
                connection.execute(
                    "INSERT INTO identity_secret VALUES (true, %s) ON CONFLICT DO NOTHING",
                    (pseudonyms.fingerprint,),
                )
                row = connection.execute("SELECT fingerprint FROM identity_secret").fetchone()
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise StartFault(f"cannot use the database of REPRISE_KEYS_URL: {said}") from None
    if row is None or row[0] != pseudonyms.fingerprint:
        raise StartFault(f"{secret} holds {_NEITHER}")
    return Identities(url, pseudonyms)


def _write_anew(
    connection: Connection,
    table: str,
    tenants: list[str],
    pseudonyms: list[str],
    is_settled: bool,
) -> bool:
    if not is_settled:
        return False
    try:
        connection.execute(_WAIT)
        connection.execute(f"VACUUM (FULL) {table}")
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        connection.execute("RESET lock_timeout")
    connection.execute(
        "UPDATE identities SET is_scrubbed = true FROM unnest(%s::text[], %s::text[])"
        " AS done (tenant, pseudonym) WHERE identities.tenant = done.tenant"
        " AND identities.pseudonym = done.pseudonym",
        (tenants, pseudonyms),
    )
    return True


def _seal(key: bytes, data: bytes, about: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def _open(key: bytes, sealed: bytes, about: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
