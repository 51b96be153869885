"""Profiles in PostgreSQL: sealed as a whole."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from libs.domain.profile import Profile
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identities, Identity
from libs.storage.profile_json import profile_of, profile_values

_ABOUT: Final = "profile"


def upsert(
    connection: Connection,
    tenant: str,
    batch_id: int,
    profiles: Iterable[Profile],
    identities: Mapping[str, Identity],
) -> int:
    """Create or replace whole profiles; of one given twice the last counts. Returns how many."""
    last = {profile.profile_id: profile for profile in profiles}
    # In one order, so that two batches of the same profiles do not wait for each other.
    rows = sorted(
        (identities[profile_id].person, _sealed(profile, identities[profile_id]))
        for profile_id, profile in last.items()
    )
    if rows:
        connection.execute(
            "INSERT INTO profiles (tenant, batch_id, person, sealed)"
            " SELECT %s, %s, * FROM unnest(%s::bigint[], %s::bytea[])"
            " ON CONFLICT (tenant, person) DO UPDATE SET batch_id = excluded.batch_id,"
            " sealed = excluded.sealed",
            (tenant, batch_id, *map(list, zip(*rows, strict=True))),
        )
    return len(rows)


def read(
    connection: Connection, identities: Identities, tenant: str, profile_ids: Sequence[str]
) -> dict[str, Profile]:
    """Those of `profile_ids` that are stored."""
    known = {one.person: one for one in identities.found(tenant, profile_ids).values()}
    rows = connection.execute(
        "SELECT person, sealed FROM profiles WHERE tenant = %s AND person = ANY(%s::bigint[])",
        (tenant, list(known)),
    ).fetchall()
    return {known[person].profile_id: _opened(sealed, known[person]) for person, sealed in rows}


def accounts(
    connection: Connection, identities: Identities, tenant: str, profile_ids: Collection[str]
) -> dict[str, str]:
    """The account of each profile that is stored, by profile_id; "" where it has none."""
    if not profile_ids:
        return {}
    found = read(connection, identities, tenant, sorted(profile_ids))
    return {profile_id: profile.account_id for profile_id, profile in found.items()}


def read_all(connection: Connection, identities: Identities, tenant: str) -> list[Profile]:
    """All profiles, ascending by id."""
    rows = connection.execute(
        "SELECT person, sealed FROM profiles WHERE tenant = %s", (tenant,)
    ).fetchall()
    known = identities.of_persons(tenant, [person for person, _ in rows])
    found = [_opened(sealed, known[person]) for person, sealed in rows if person in known]
    return sorted(found, key=lambda profile: profile.profile_id)


def _sealed(profile: Profile, identity: Identity) -> bytes:
    return identity.seal(json.dumps(profile_values(profile)).encode(), _ABOUT)


def _opened(sealed: bytes, identity: Identity) -> Profile:
    return profile_of(identity.profile_id, json.loads(identity.open(sealed, _ABOUT)))
