"""Profiles as rows."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, Final

from libs.domain.consent import Consent
from libs.domain.profile import Profile

_COLUMNS: Final = (
    "profile_id, account_id, kids, maturity_limit_years, country, languages, time_zone,"
    " given_consents, refused_consents"
)


def upsert(connection: sqlite3.Connection, tenant: str, profiles: Iterable[Profile]) -> None:
    """Create or replace whole profiles; of one given twice the last counts."""
    connection.executemany(
        f"INSERT OR REPLACE INTO profiles (tenant, {_COLUMNS})"  # noqa: S608  constants
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                tenant,
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
            for profile in profiles
        ],
    )


def read(connection: sqlite3.Connection, tenant: str, profile_id: str) -> Profile | None:
    """The stored profile, if there is one."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM profiles WHERE tenant = ? AND profile_id = ?",  # noqa: S608  constants
        (tenant, profile_id),
    ).fetchone()
    return None if row is None else _decode(row)


def accounts(
    connection: sqlite3.Connection, tenant: str, profile_ids: Collection[str]
) -> dict[str, str]:
    """The account of each profile that is stored, by profile_id; "" where it has none."""
    if not profile_ids:
        return {}
    return dict(
        connection.execute(
            "SELECT profile_id, account_id FROM profiles"
            " WHERE tenant = ? AND profile_id IN (SELECT value FROM json_each(?))",
            (tenant, json.dumps(list(profile_ids))),
        ).fetchall()
    )


def read_all(connection: sqlite3.Connection, tenant: str) -> list[Profile]:
    """All profiles, ascending by id."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM profiles WHERE tenant = ? ORDER BY profile_id",  # noqa: S608  constants
        (tenant,),
    ).fetchall()
    return [_decode(row) for row in rows]


def _decode(row: tuple[Any, ...]) -> Profile:
    profile_id, account_id, kids, maturity_limit_years, country, languages, time_zone = row[:7]
    given, refused = row[7:]
    return Profile(
        profile_id=profile_id,
        account_id=account_id,
        kids=bool(kids),
        maturity_limit_years=maturity_limit_years,
        country=country,
        languages=tuple(json.loads(languages)),
        time_zone=time_zone,
        given_consents=_consents(given),
        refused_consents=_consents(refused),
    )


def _consents(text: str) -> frozenset[Consent]:
    return frozenset(map(Consent, json.loads(text)))
