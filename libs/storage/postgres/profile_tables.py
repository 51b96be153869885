"""Profiles in PostgreSQL."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from libs.storage.postgres.log_tables import Connection

_COLUMNS: Final = (
    "profile_id, account_id, kids, maturity_limit_years, country, languages, time_zone,"
    " given_consents, refused_consents"
)


def upsert(connection: Connection, tenant: str, batch_id: int, profiles: Iterable[Profile]) -> int:
    """Create or replace whole profiles; of one given twice the last counts. Returns how many."""
    last = {profile.profile_id: profile for profile in profiles}
    # In one order, so that two batches of the same profiles do not wait for each other.
    rows = [_encode(last[profile_id]) for profile_id in sorted(last)]
    if rows:
        connection.execute(
            f"INSERT INTO profiles (tenant, batch_id, {_COLUMNS})"  # noqa: S608  constants
            " SELECT %s, %s, * FROM unnest(%s::text[], %s::text[], %s::bool[], %s::bigint[],"
            " %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
            " ON CONFLICT (tenant, profile_id) DO UPDATE SET batch_id = excluded.batch_id,"
            " account_id = excluded.account_id, kids = excluded.kids,"
            " maturity_limit_years = excluded.maturity_limit_years, country = excluded.country,"
            " languages = excluded.languages, time_zone = excluded.time_zone,"
            " given_consents = excluded.given_consents,"
            " refused_consents = excluded.refused_consents",
            (tenant, batch_id, *map(list, zip(*rows, strict=True))),
        )
    return len(rows)


def read(connection: Connection, tenant: str, profile_ids: Sequence[str]) -> dict[str, Profile]:
    """Those of `profile_ids` that are stored."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM profiles"  # noqa: S608  constants
        " WHERE tenant = %s AND profile_id = ANY(%s)",
        (tenant, list(profile_ids)),
    ).fetchall()
    return {row[0]: _decode(row) for row in rows}


def accounts(connection: Connection, tenant: str, profile_ids: Collection[str]) -> dict[str, str]:
    """The account of each profile that is stored, by profile_id; "" where it has none."""
    if not profile_ids:
        return {}
    rows = connection.execute(
        "SELECT profile_id, account_id FROM profiles WHERE tenant = %s AND profile_id = ANY(%s)",
        (tenant, list(profile_ids)),
    ).fetchall()
    return dict(rows)


def read_all(connection: Connection, tenant: str) -> list[Profile]:
    """All profiles, ascending by id."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM profiles"  # noqa: S608  constants
        " WHERE tenant = %s ORDER BY profile_id",
        (tenant,),
    ).fetchall()
    return [_decode(row) for row in rows]


def _encode(profile: Profile) -> tuple[object, ...]:
    return (
        profile.profile_id,
        profile.account_id,
        profile.kids,
        profile.maturity_limit_years,
        profile.country,
        json.dumps(profile.languages),
        profile.time_zone,
        json.dumps(sorted(profile.given_consents)),
        json.dumps(sorted(profile.refused_consents)),
    )


def _decode(row: tuple[Any, ...]) -> Profile:
    profile_id, account_id, kids, maturity_limit_years, country, languages, time_zone = row[:7]
    given, refused = row[7:]
    return Profile(
        profile_id=profile_id,
        account_id=account_id,
        kids=kids,
        maturity_limit_years=maturity_limit_years,
        country=country,
        languages=tuple(json.loads(languages)),
        time_zone=time_zone,
        given_consents=frozenset(map(Consent, json.loads(given))),
        refused_consents=frozenset(map(Consent, json.loads(refused))),
    )
