"""The log in the order in which it is followed: by the transactions that wrote it.

A transaction's number is given when it begins to write, and it may end after one with a higher
number. So whoever follows reads up to the lowest number that is still writing, and skips nothing.
A transaction that stays open holds everybody up who follows, and no reader of the log itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Final

from libs.domain.event import Event, EventKind
from libs.domain.profile import Profile
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.storage.postgres import followed, kept_tables, profile_tables
from libs.storage.postgres.database import Connection, open_writer
from libs.storage.postgres.held_thumbs import WRITTEN_BEFORE, read_held_thumbs
from libs.storage.postgres.identities import Identities
from libs.storage.postgres.log_row import PERSON, ROW_COLUMNS, decode_row, decode_rows
from libs.storage.postgres.people import PersonRows, chunks, read_people
from libs.storage.postgres.share_tables import read_withdrawn
from libs.storage.postgres.stretch import Stretch, Whole, Written
from libs.storage.postgres.withdrawals import read_withdrawals

# Held by the one replica that follows the log, as long as its connection lives.
_FOLLOWER_LOCK: Final = 7_400_003

# Nobody follows so far behind; what is older is only in the way.
KEPT: Final = "7 days"
_FETCHED_ROWS: Final = 10_000

HORIZON: Final = "pg_snapshot_xmin(pg_current_snapshot())"
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_ERASED_FROM: Final = "erased_xid >= %s::text::xid8"

_Batch = tuple[Any, ...]
_TENANT: Final = itemgetter(1)


class LogFeed:
    """Follows the log on one connection, for one thread.

    Every method raises psycopg.Error, and PartUnavailable for the store of keys.
    """

    def __init__(self, url: str, identities: Identities) -> None:
        self._identities = identities
        # What is read of everything waits for Redis.
        self._connection: Connection = open_writer(url, most_idle_s=0)

    def close(self) -> None:
        """Let another one follow."""
        self._connection.close()

    def lead(self) -> int | None:
        """Become the one that follows; returns a number above all predecessors', None if taken."""
        [(is_mine,)] = self._connection.execute(
            "SELECT pg_try_advisory_lock(%s)", (_FOLLOWER_LOCK,)
        ).fetchall()
        if not is_mine:
            return None
        [(number,)] = self._connection.execute("SELECT nextval('follower_numbers')").fetchall()
        return int(number)

    def check_leading(self) -> None:
        """Raise psycopg.Error when the connection is gone, and another one may follow."""
        self._connection.execute("SELECT 1")

    def identity(self) -> str:
        """Names the database: numbers of transactions mean nothing in another one."""
        [(name,)] = self._connection.execute(
            "SELECT system_identifier || '/' || (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) FROM pg_control_system()"
        ).fetchall()
        return str(name)

    def read(self, from_xid: int, *, most_events: int) -> Stretch:
        """What was written from `from_xid` on, whole transactions up to about `most_events`."""
        # One statement, one snapshot: what it sees below its horizon is all there will ever be.
        rows = self._connection.execute(
            f"SELECT {HORIZON}::text::bigint, tenant, batch_id, written_xid::text::bigint,"  # noqa: S608  constants
            " event_count, profile_count,"
            " extract(epoch FROM clock_timestamp() - written_at)::float8"
            " FROM (SELECT 1) AS always LEFT JOIN (SELECT * FROM batches"
            f" WHERE written_xid >= %s::text::xid8 AND written_xid < {HORIZON}"
            " ORDER BY written_xid LIMIT %s) AS found ON true ORDER BY written_xid",
            (str(from_xid), most_events),
        ).fetchall()
        horizon = rows[0][0]
        if rows[0][1] is None:
            return Stretch(horizon, (), is_last=True, oldest_s=0.0)
        taken = _whole_transactions(rows, most_events)
        is_last = len(taken) == len(rows)
        taken.sort(key=_TENANT)
        # One snapshot: what is erased meanwhile is either an event still or withdrawn.
        with self._connection.transaction():
            self._connection.execute(_SNAPSHOT)
            # Those of before are taken out already, and stay until they are forgotten.
            withdrawn = read_withdrawals(self._connection, _ERASED_FROM, str(from_xid))
            shares = read_withdrawn(self._connection, _ERASED_FROM, str(from_xid))
            written = [
                replace(
                    self._written(tenant, list(batches), from_xid),
                    withdrawals=withdrawn.get(tenant, ()),
                    withdrawn_shares=shares.get(tenant, ()),
                )
                for tenant, batches in groupby(taken, _TENANT)
            ]
        return Stretch(
            until_xid=horizon if is_last else max(batch[3] for batch in taken) + 1,
            written=written,
            is_last=is_last,
            oldest_s=rows[0][6],
        )

    def _written(self, tenant: str, batches: Sequence[_Batch], from_xid: int) -> Written:
        xids = {batch_id: xid for _, _, batch_id, xid, *_ in batches}
        # Not bounded by time as well: without statistics, as in a new partition, an index by time
        # looks as good, and all of the tenant's events were read through.
        rows = self._connection.execute(
            f"SELECT {ROW_COLUMNS}, batch_id FROM events"  # noqa: S608  constants
            " WHERE tenant = %s AND batch_id = ANY(%s)",
            (tenant, [batch[2] for batch in batches if batch[4]]),
        ).fetchall()
        upserted = self._connection.execute(
            "SELECT person FROM profiles WHERE tenant = %s AND batch_id = ANY(%s)",
            (tenant, [batch[2] for batch in batches if batch[5]]),
        ).fetchall()
        known = self._identities.of_persons(
            tenant, {row[PERSON] for row in rows} | {person for (person,) in upserted}
        )
        events = [
            (xids[row[-1]], row[PERSON], decode_row(row, known[row[PERSON]]))
            for row in rows
            if row[PERSON] in known
        ]
        thumbed = {
            (person, event.title_id) for _, person, event in events if event.kind is EventKind.THUMB
        }
        held = (
            read_held_thumbs(self._connection, tenant, thumbed, before_xid=from_xid)
            if thumbed
            else ()
        )
        return Written(
            tenant,
            [(xid, event) for xid, _, event in events],
            [known[person].profile_id for (person,) in upserted if person in known],
            held_thumbs=decode_rows(held, known),
        )

    def histories(
        self, tenant: str, profile_ids: Sequence[str], *, before_xid: int
    ) -> dict[str, tuple[ProfileBase, list[Event]]]:
        """What there is of these profiles by transactions below `before_xid`, compacted or not."""
        known = {one.person: one for one in self._identities.found(tenant, profile_ids).values()}
        # Of one moment: all that is compacted is of below what was followed.
        with self._connection.transaction():
            self._connection.execute(_SNAPSHOT)
            bases = kept_tables.read_bases(self._connection, tenant, known.values())
            rows = self._connection.execute(
                f"SELECT {ROW_COLUMNS} FROM events{WRITTEN_BEFORE}"  # noqa: S608  constants
                " AND events.tenant = %s AND person = ANY(%s::bigint[])",
                (str(before_xid), tenant, list(known)),
            ).fetchall()
        events: dict[str, list[Event]] = {profile_id: [] for profile_id in profile_ids}
        for event in decode_rows(rows, known):
            events[event.profile_id].append(event)
        of = {one.profile_id: bases[person] for person, one in known.items() if person in bases}
        return {
            profile_id: (of.get(profile_id, NO_BASE), some) for profile_id, some in events.items()
        }

    def profiles(self, tenant: str, profile_ids: Sequence[str]) -> dict[str, Profile]:
        """Those of `profile_ids` that are stored."""
        return profile_tables.read(self._connection, self._identities, tenant, profile_ids)

    def horizon(self) -> int:
        """The lowest number that is still writing."""
        return horizon(self._connection)

    def begin_anew(self) -> int:
        """The number below which everything is to be made anew, and from which on followed.

        What is compacted from now on is below it: whoever reads everything after that misses
        nothing.
        """
        with self._connection.transaction():
            followed.lock(self._connection)
            self._adopt()
            until_xid = self.horizon()
            followed.write(self._connection, until_xid)
        return until_xid

    def followed(self) -> int | None:
        """Below which number all may be compacted; None where nobody has ever begun anew."""
        return followed.read(self._connection)

    def everything(self, *, before_xid: int) -> Iterator[Whole]:
        """Every profile with what there is by transactions below `before_xid`, tenant by tenant.

        Profiles that are stored and have no events come with none, and events that are erased
        by transactions from `before_xid` on come as withdrawals, of nobody.
        """
        with self._connection.transaction():
            self._connection.execute(_SNAPSHOT)
            withdrawn = read_withdrawals(self._connection, _ERASED_FROM, str(before_xid))
            shares = read_withdrawn(self._connection, _ERASED_FROM, str(before_xid))
            for tenant, people in groupby(
                read_people(self._connection, before_xid), attrgetter("tenant")
            ):
                yield Whole(
                    tenant,
                    "",
                    withdrawals=withdrawn.pop(tenant, ()),
                    withdrawn_shares=shares.pop(tenant, ()),
                )
                yield from self._identified(tenant, people)
            for tenant in sorted({*withdrawn, *shares}):
                yield Whole(
                    tenant,
                    "",
                    withdrawals=withdrawn.get(tenant, ()),
                    withdrawn_shares=shares.get(tenant, ()),
                )
        rest = self._connection.execute(
            "SELECT tenant, array_agg(person) FROM profiles WHERE NOT EXISTS (SELECT FROM events"
            " WHERE events.tenant = profiles.tenant AND events.person = profiles.person)"
            " AND NOT EXISTS (SELECT FROM profile_bases AS base"
            " WHERE base.tenant = profiles.tenant AND base.person = profiles.person)"
            " GROUP BY tenant"
        ).fetchall()
        for tenant, persons in rest:
            for identity in self._identities.of_persons(tenant, persons).values():
                yield Whole(tenant, identity.profile_id)

    def _identified(self, tenant: str, people: Iterator[PersonRows]) -> Iterator[Whole]:
        """Those of one tenant who are somebody."""
        for some in chunks(people, lambda one: len(one.events) + 1, _FETCHED_ROWS):
            known = self._identities.of_persons(tenant, {one.person for one in some})
            for one in some:
                identity = known.get(one.person)
                if identity is not None:
                    yield Whole(
                        tenant,
                        identity.profile_id,
                        [decode_row(row, identity) for row in one.events],
                        one.base(identity),
                        one.shares(),
                    )

    def _adopt(self) -> None:
        """Take batches whose numbers this server has not given out yet for old ones.

        They came with a dump of another server, which had given out more.
        """
        for statement in (
            "DELETE FROM batches WHERE written_xid",
            "DELETE FROM withdrawn WHERE erased_xid",
            "DELETE FROM withdrawn_shares WHERE erased_xid",
            "UPDATE erasures SET erased_xid = '0' WHERE erased_xid",
        ):
            self._connection.execute(f"{statement} >= pg_snapshot_xmax(pg_current_snapshot())")

    def advance(self, xid: int) -> None:
        """Let what was written below that be compacted: whoever follows next begins there."""
        followed.advance(self._connection, xid)

    def forget(self, *, before_xid: int) -> None:
        """Drop what was followed: withdrawals, and the batches of long ago; events stay."""
        for table in ("withdrawn", "withdrawn_shares"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE erased_xid < %s::text::xid8",  # noqa: S608  constants
                (str(before_xid),),
            )
        self._connection.execute(
            "DELETE FROM batches WHERE written_xid < %s::text::xid8"
            " AND written_at < now() - %s::interval",
            (str(before_xid), KEPT),
        )


def horizon(connection: Connection) -> int:
    """The lowest number that is still writing."""
    [(xid,)] = connection.execute(f"SELECT {HORIZON}::text::bigint").fetchall()
    return int(xid)


def next_batches(
    connection: Connection, tenant: str, from_xid: int, most_events: int
) -> dict[int, int]:
    """The next whole transactions of a tenant, about `most_events`: their numbers by batch."""
    rows = connection.execute(
        "SELECT 0, tenant, batch_id, written_xid::text::bigint, event_count FROM batches"  # noqa: S608  constants
        f" WHERE tenant = %s AND written_xid >= %s::text::xid8 AND written_xid < {HORIZON}"
        " AND event_count > 0 ORDER BY written_xid LIMIT %s",
        (tenant, str(from_xid), max(most_events, 2)),
    ).fetchall()
    return {row[2]: row[3] for row in _whole_transactions(rows, max(most_events, 2))}


def _whole_transactions(rows: Sequence[_Batch], most_events: int) -> list[_Batch]:
    """The batches of the first transactions, together about `most_events`, one at the least."""
    taken: list[_Batch] = []
    event_count = 0
    for _, some in groupby(rows, key=lambda row: row[3]):
        batches = list(some)
        event_count += sum(batch[4] for batch in batches)
        # Of the last that could be read, there may be more than was read.
        is_cut = len(rows) == most_events and batches[-1] is rows[-1]
        if taken and (is_cut or event_count > most_events):
            break
        taken.extend(batches)
    return taken
