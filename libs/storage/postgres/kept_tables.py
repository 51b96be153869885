"""What is kept of compacted events in PostgreSQL: bases, shares and days of many profiles at once.

Whoever writes holds the lock of `followed`, so that nobody else does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, LiteralString

import psycopg

from libs.faults import HistoryCompacted, StartFault
from libs.features.kept_profile import KeptProfile, Touched
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_shares import decode_shares, encode_cells
from libs.features.watched_days import WatchedDay
from libs.storage.id_hash import id_hash
from libs.storage.postgres.database import Connection
from libs.storage.postgres.identities import Identity
from libs.storage.postgres.kept_row import (
    open_base,
    open_day,
    open_title,
    seal_base,
    seal_day,
    seal_title,
)

# Those of a person, but for shares, which go another way when somebody is erased.
BASE_TABLES: Final[tuple[LiteralString, ...]] = ("profile_bases", "title_bases", "profile_days")

Row = tuple[Any, ...]
_PERSON: Final = itemgetter(0)


def compacted_until_ms(connection: Connection, tenant: str) -> int:
    """The time up to which the tenant's events may be compacted; −1 for none."""
    row = connection.execute(
        "SELECT until_ms FROM compactions WHERE tenant = %s", (tenant,)
    ).fetchone()
    return -1 if row is None else int(row[0])


def check_told(connection: Connection, tenant: str, as_of_ms: int | None) -> None:
    """Raise HistoryCompacted for a time whose state is not known any more."""
    if as_of_ms is not None:
        until_ms = compacted_until_ms(connection, tenant)
        if as_of_ms < until_ms:
            raise HistoryCompacted(as_of_ms, until_ms)


def compacted_count(connection: Connection) -> int:
    """How many events were ever compacted: another number after each step."""
    [(count,)] = connection.execute(
        "SELECT coalesce(sum(event_count), 0)::bigint FROM compactions"
    ).fetchall()
    return int(count)


def check_schema(url: str) -> None:
    """Raise StartFault where bases are of another feature schema than this release's."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT feature_schema FROM compactions WHERE feature_schema <> %s LIMIT 1",
                (FEATURE_SCHEMA_VERSION,),
            ).fetchone()
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise StartFault(f"cannot use the database of REPRISE_EVENTS_URL: {said}") from None
    if row is not None:
        raise StartFault(
            f"the database of REPRISE_EVENTS_URL holds compacted events of feature schema {row[0]},"
            f" and this release, of {FEATURE_SCHEMA_VERSION}, cannot make features of them"
        )


def known_ids(connection: Connection, tenant: str, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that were recorded and compacted."""
    if not event_ids or compacted_until_ms(connection, tenant) < 0:
        return set()
    names = {id_hash(event_id): event_id for event_id in event_ids}
    rows = connection.execute(
        "SELECT id FROM compacted_ids WHERE tenant = %s AND id = ANY(%s)", (tenant, list(names))
    ).fetchall()
    return {names[number] for (number,) in rows}


def note(connection: Connection, tenant: str, event_ids: Sequence[str], until_ms: int) -> None:
    """Note that events are compacted, and keep of their ids that they were there."""
    connection.execute(
        "INSERT INTO compactions (tenant, until_ms, event_count, feature_schema)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (tenant) DO UPDATE SET"
        " until_ms = greatest(compactions.until_ms, excluded.until_ms),"
        " event_count = compactions.event_count + excluded.event_count",
        (tenant, until_ms, len(event_ids), FEATURE_SCHEMA_VERSION),
    )
    connection.execute(
        "INSERT INTO compacted_ids SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING",
        (tenant, sorted(id_hash(event_id) for event_id in event_ids)),
    )


def read_held(
    connection: Connection, tenant: str, wanted: Mapping[Identity, Touched]
) -> dict[int, KeptProfile]:
    """By person what is held of those that have anything, as `folded` wants it."""
    people = {one.person: one for one in wanted}
    found = connection.execute(
        "SELECT person, event_count, oldest_ms, newest_ms, sealed FROM profile_bases"
        " WHERE tenant = %s AND person = ANY(%s::bigint[])",
        (tenant, list(people)),
    ).fetchall()
    if not found:
        return {}
    titles = _grouped(
        connection,
        "SELECT person, title_id, sealed FROM title_bases"
        " JOIN unnest(%s::bigint[], %s::text[]) AS pair (person, title_id)"
        " USING (person, title_id) WHERE tenant = %s",
        [(one.person, title_id) for one, some in wanted.items() for title_id in some.title_ids],
        tenant,
    )
    shares = _grouped(
        connection,
        "SELECT person, country, title_id, cells, at_ms FROM title_shares"
        " JOIN unnest(%s::bigint[], %s::text[]) AS pair (person, title_id)"
        " USING (person, title_id) WHERE tenant = %s",
        [
            (one.person, title_id)
            for one, some in wanted.items()
            for title_id in some.shared_title_ids
        ],
        tenant,
    )
    days = _grouped(
        connection,
        "SELECT person, day, title_id, sealed FROM profile_days"
        " JOIN unnest(%s::bigint[], %s::integer[], %s::text[]) AS pair (person, day, title_id)"
        " USING (person, day, title_id) WHERE tenant = %s",
        [(one.person, *day) for one, some in wanted.items() for day in some.days],
        tenant,
    )
    return {
        person: KeptProfile(
            event_count=event_count,
            oldest_ms=oldest_ms,
            newest_ms=newest_ms,
            own=open_base(sealed, people[person]),
            titles=_titles(titles.get(person, ()), people[person]),
            shares=decode_shares(shares.get(person, ())),
            days=[
                open_day(day, title_id, data, people[person])
                for day, title_id, data in days.get(person, ())
            ],
        )
        for person, event_count, oldest_ms, newest_ms, sealed in found
    }


def _grouped(
    connection: Connection, query: LiteralString, wanted: Sequence[Row], tenant: str
) -> dict[int, list[Any]]:
    """By person the rows that a query gives for tuples, without the person."""
    if not wanted:
        return {}
    found: dict[int, list[Any]] = {}
    columns = map(list, zip(*wanted, strict=True))
    for person, *row in connection.execute(query, (*columns, tenant)).fetchall():
        found.setdefault(person, []).append(tuple(row))
    return found


def write(
    connection: Connection, tenant: str, kept: Iterable[tuple[Identity, KeptProfile]]
) -> None:
    """Write what is kept in the place of what was held."""
    some = list(kept)
    _upsert(
        connection,
        "INSERT INTO profile_bases (tenant, person, event_count, oldest_ms, newest_ms, sealed)"
        " SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
        " %s::bytea[]) ON CONFLICT (tenant, person) DO UPDATE SET"
        " event_count = excluded.event_count, oldest_ms = excluded.oldest_ms,"
        " newest_ms = excluded.newest_ms, sealed = excluded.sealed",
        tenant,
        [
            (
                who.person,
                one.event_count,
                one.oldest_ms,
                one.newest_ms,
                seal_base(one.own, who),
            )
            for who, one in some
        ],
    )
    _upsert(
        connection,
        "INSERT INTO title_bases (tenant, person, title_id, sealed)"
        " SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::bytea[])"
        " ON CONFLICT (tenant, person, title_id) DO UPDATE SET sealed = excluded.sealed",
        tenant,
        [
            (who.person, title_id, seal_title(title_id, record, watched, who))
            for who, one in some
            for title_id, (record, watched) in one.titles.items()
        ],
    )
    _upsert(
        connection,
        "INSERT INTO title_shares (tenant, person, title_id, country, at_ms, cells)"
        " SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[],"
        " %s::bytea[]) ON CONFLICT (tenant, person, title_id, country)"
        " DO UPDATE SET at_ms = excluded.at_ms, cells = excluded.cells",
        tenant,
        [
            (who.person, title_id, country, at_ms, encode_cells(values))
            for who, one in some
            for (country, title_id), (values, at_ms) in one.shares.items()
        ],
    )
    _upsert(
        connection,
        "INSERT INTO profile_days (tenant, person, day, title_id, sealed)"
        " SELECT %s, * FROM unnest(%s::bigint[], %s::integer[], %s::text[], %s::bytea[])"
        " ON CONFLICT (tenant, person, day, title_id) DO UPDATE SET sealed = excluded.sealed",
        tenant,
        [
            (who.person, one.day, one.title_id, seal_day(one, who))
            for who, of_one in some
            for one in of_one.days
        ],
    )


def _upsert(connection: Connection, query: LiteralString, tenant: str, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(query, (tenant, *map(list, zip(*rows, strict=True))))


def read_bases(
    connection: Connection, tenant: str, people: Iterable[Identity]
) -> dict[int, ProfileBase]:
    """By person what compacted events have made of those that have any."""
    known = {one.person: one for one in people}
    asked = (tenant, list(known))
    own = connection.execute(
        "SELECT person, newest_ms, sealed FROM profile_bases"
        " WHERE tenant = %s AND person = ANY(%s::bigint[])",
        asked,
    ).fetchall()
    if not own:
        return {}
    titles = connection.execute(
        "SELECT person, title_id, sealed FROM title_bases"
        " WHERE tenant = %s AND person = ANY(%s::bigint[]) ORDER BY person",
        asked,
    ).fetchall()
    by_person = {person: [row[1:] for row in some] for person, some in groupby(titles, key=_PERSON)}
    return {
        person: base_of(newest_ms, sealed, by_person.get(person, ()), known[person])
        for person, newest_ms, sealed in own
    }


def base_of(
    newest_ms: int, sealed: bytes, titles: Iterable[Row], identity: Identity
) -> ProfileBase:
    """The base of a profile's row, and of a (title id, sealed) for each of its titles."""
    return ProfileBase(open_base(sealed, identity), newest_ms, _titles(titles, identity))


def read_base(connection: Connection, tenant: str, identity: Identity) -> ProfileBase:
    """What the compacted events of one profile have made of it."""
    return read_bases(connection, tenant, [identity]).get(identity.person, NO_BASE)


def read_days(connection: Connection, tenant: str, identity: Identity) -> list[WatchedDay]:
    """A profile's days of compacted events, by (day, title id)."""
    rows = connection.execute(
        "SELECT day, title_id, sealed FROM profile_days WHERE tenant = %s AND person = %s"
        " ORDER BY day, title_id",
        (tenant, identity.person),
    ).fetchall()
    return [open_day(day, title_id, sealed, identity) for day, title_id, sealed in rows]


def persons(connection: Connection, tenant: str) -> set[int]:
    """Those of whom any event is compacted."""
    rows = connection.execute(
        "SELECT person FROM profile_bases WHERE tenant = %s", (tenant,)
    ).fetchall()
    return {person for (person,) in rows}


def newest_ms(connection: Connection, tenant: str) -> int:
    """When the newest compacted event occurred; 0 without any."""
    [(newest,)] = connection.execute(
        "SELECT coalesce(max(newest_ms), 0) FROM profile_bases WHERE tenant = %s", (tenant,)
    ).fetchall()
    return int(newest)


def _titles(rows: Iterable[Row], identity: Identity) -> dict[str, tuple[bytes, bytes]]:
    return {title_id: open_title(title_id, sealed, identity) for title_id, sealed in rows}
