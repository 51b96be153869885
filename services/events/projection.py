"""Projection: what stretches of the log make of the feature store, once each."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import Event
from libs.features.counters import Counters, encode_counters
from libs.features.event_columns import from_events, without_thumbs
from libs.features.profile_state import ProfileFold, in_order, split_profile_counters
from libs.features.thumbs import thumb_shares
from libs.features.title_record import RECORD_KINDS, TitleFold
from libs.features.title_table import LiveTitleCounters
from libs.storage.postgres.log_feed import LogFeed, Stretch, Written
from libs.storage.postgres.withdrawals import Withdrawal, withdrawn_columns, withdrawn_thumbs
from libs.storage.redis.feature_writer import ABSENT, ANY, FeatureWriter, HeldProfile, ProfileWrite
from libs.storage.redis.keys import COUNTERS, PROFILE, TITLE
from libs.storage.redis.profile_hash import encode_profile

# So many events are read, folded and written at once, in about 70 ms; an event that comes while
# they are waits for them.
MOST_EVENTS: Final = 2_000
# Rows of counters in one script, which keeps Redis from everything else for some milliseconds.
_MOST_ROWS: Final = 2_000


class Projection:
    """Brings the feature store up to the log, as the one that does; for one thread.

    Every method raises psycopg.Error, redis.RedisError and OSError for what does not answer, and
    Superseded when another one follows; the projection is of no more use then.
    """

    def __init__(self, feed: LogFeed, writer: FeatureWriter, *, most_tenants: int) -> None:
        self._feed = feed
        self._writer = writer
        self._most_tenants = most_tenants
        self._titles: OrderedDict[str, tuple[int, LiveTitleCounters]] = OrderedDict()
        self._identity = ""
        self._xid = 0

    def begin(self, is_stopped: Callable[[], bool]) -> bool:
        """Go on where the last one was; from the beginning of the log where that is not known.

        Returns whether all was made anew.
        """
        self._identity = f"{self._feed.identity()} {self._writer.run_ids()}"
        followed = self._writer.followed()
        if followed is None or followed.identity != self._identity or not followed.is_ready:
            self._rebuild(is_stopped)
            return True
        self._xid = followed.xid
        return False

    def is_current(self) -> bool:
        """Whether Redis is still what it was at the beginning, with all that was written to it."""
        return self._identity == f"{self._feed.identity()} {self._writer.run_ids()}"

    def step(self) -> Stretch:
        """Take over the next stretch of the log."""
        stretch = self._feed.read(self._xid, most_events=MOST_EVENTS)
        for written in stretch.written:
            self._project_profiles(written, stretch.until_xid)
            self._project_titles(written, stretch.until_xid)
        if stretch.written:
            self._writer.advance(stretch.until_xid, self._identity)
        self._xid = stretch.until_xid
        return stretch

    def forget_followed(self) -> None:
        """Drop from the database what was needed to follow so far."""
        self._feed.forget(before_xid=self._xid)

    def _project_profiles(self, written: Written, until_xid: int) -> None:
        events: dict[str, list[tuple[int, Event]]] = {
            profile_id: [] for profile_id in written.profile_ids
        }
        for xid, event in written.events:
            events.setdefault(event.profile_id, []).append((xid, event))
        held = self._writer.read(
            written.tenant,
            {
                profile_id: _titles_of(event for _, event in some)
                for profile_id, some in events.items()
            },
        )
        absent = [profile_id for profile_id in held if held[profile_id].applied == ABSENT]
        histories = (
            self._feed.histories(written.tenant, absent, before_xid=until_xid) if absent else {}
        )
        stale = {*absent, *written.profile_ids}
        profiles = self._feed.profiles(written.tenant, sorted(stale)) if stale else {}
        writes = []
        for profile_id, some in events.items():
            before = held[profile_id]
            if before.applied >= until_xid:
                continue
            new = histories.get(profile_id)
            if new is None:
                new = [event for xid, event in some if xid >= before.applied]
            write = _folded(written.tenant, profile_id, before, new, until_xid)
            if profile_id in stale:
                write.fields[PROFILE] = encode_profile(profiles.get(profile_id))
            writes.append(write)
        # A pause until here may have been long enough for another one to follow.
        self._feed.check_leading()
        self._writer.write(writes)

    def _project_titles(self, written: Written, until_xid: int) -> None:
        applied, live = self._live(written.tenant)
        new = [event for xid, event in written.events if xid >= applied]
        changed = live.add(without_thumbs(from_events(new)))
        held = [
            *written.held_thumbs,
            *(event for xid, event in written.events if xid < applied),
        ]
        changed = np.union1d(changed, live.add_shares(thumb_shares(new, held)))
        corrected = _corrected(live, written.withdrawals, applied, until_xid)
        changed = np.union1d(changed, corrected)
        if len(changed):
            rows = [_counter_row(live, row) for row in changed.tolist()]
            self._write_titles(written.tenant, applied, until_xid, rows)
            self._titles[written.tenant] = (until_xid, live)

    def _live(self, tenant: str) -> tuple[int, LiveTitleCounters]:
        if tenant not in self._titles:
            live = LiveTitleCounters()
            applied, changes = self._writer.read_titles(tenant)
            live.apply(changes)
            self._titles[tenant] = (applied, live)
            if len(self._titles) > self._most_tenants:
                self._titles.popitem(last=False)
        self._titles.move_to_end(tenant)
        return self._titles[tenant]

    def _write_titles(
        self, tenant: str, expected: int, applied: int, rows: Sequence[tuple[str, str, bytes]]
    ) -> None:
        for start in range(0, max(len(rows), 1), _MOST_ROWS):
            part = rows[start : start + _MOST_ROWS]
            self._writer.write_titles(tenant, expected, applied, part)
            expected = applied

    def _rebuild(self, is_stopped: Callable[[], bool]) -> None:
        """Write everything anew; readers are told of it until it is done."""
        self._feed.adopt()
        until_xid = self._feed.horizon()
        self._writer.note_followed(0, self._identity, is_ready=False)
        self._titles.clear()
        waiting: list[tuple[str, Sequence[Event]]] = []
        tenant, live = "", LiveTitleCounters()
        for whole in self._feed.everything(before_xid=until_xid):
            if is_stopped():
                return
            is_other = whole.tenant != tenant
            if waiting and (is_other or sum(len(some) for _, some in waiting) > MOST_EVENTS):
                self._write_anew(tenant, waiting, live, until_xid)
                waiting = []
            if is_other:
                self._write_counters_anew(tenant, live, until_xid)
                tenant, live = whole.tenant, LiveTitleCounters()
            if whole.withdrawals:
                _corrected(live, whole.withdrawals, 0, until_xid)
            else:
                waiting.append((whole.profile_id, whole.events))
        self._write_anew(tenant, waiting, live, until_xid)
        self._write_counters_anew(tenant, live, until_xid)
        self._writer.note_followed(until_xid, self._identity, is_ready=True)
        self._xid = until_xid
        self._writer.sweep()

    def _write_anew(
        self,
        tenant: str,
        waiting: Sequence[tuple[str, Sequence[Event]]],
        live: LiveTitleCounters,
        until_xid: int,
    ) -> None:
        profiles = self._feed.profiles(tenant, [profile_id for profile_id, _ in waiting])
        writes = []
        for profile_id, events in waiting:
            write = _folded(tenant, profile_id, _NOTHING_HELD, events, until_xid)
            write.expected = ANY
            write.fields[PROFILE] = encode_profile(profiles.get(profile_id))
            writes.append(write)
        self._writer.write(writes)
        live.add(from_events(event for _, events in waiting for event in events))

    def _write_counters_anew(self, tenant: str, live: LiveTitleCounters, until_xid: int) -> None:
        rows = [_counter_row(live, row) for row in range(len(live.rows))]
        if rows:
            self._write_titles(tenant, ANY, until_xid, rows)


_NOTHING_HELD: Final = HeldProfile(ABSENT, b"", {})


def _corrected(
    live: LiveTitleCounters, withdrawals: Sequence[Withdrawal], applied: int, until_xid: int
) -> NDArray[np.intp]:
    """Count of who is erased what does between a mark and the next; the rows that changed.

    What was counted goes, and what is erased later counts until then.
    """
    before, after = (_counted(withdrawals, at) for at in (applied, until_xid))
    more = [
        one for one, was, counts in zip(withdrawals, before, after, strict=True) if counts > was
    ]
    less = [
        one for one, was, counts in zip(withdrawals, before, after, strict=True) if counts < was
    ]
    if not more and not less:
        return np.zeros(0, np.intp)
    held, holds = (
        thumb_shares(withdrawn_thumbs(compress(withdrawals, counts))) for counts in (before, after)
    )
    changes = (
        live.add(without_thumbs(withdrawn_columns(more))),
        live.remove(without_thumbs(withdrawn_columns(less))),
        live.remove_shares(held),
        live.add_shares(holds),
    )
    return np.unique(np.concatenate(changes))


def _counted(withdrawals: Sequence[Withdrawal], xid: int) -> list[bool]:
    """Which of them are counted up to a mark: written before it, and erased after it."""
    return [one.written_xid < xid <= one.erased_xid for one in withdrawals]


def _titles_of(events: Iterable[Event]) -> list[str]:
    return sorted({event.title_id for event in events if event.kind in RECORD_KINDS})


def _folded(
    tenant: str, profile_id: str, before: HeldProfile, events: Iterable[Event], applied: int
) -> ProfileWrite:
    """What is to be written of a profile when `events` come to what is held of it."""
    whole = ProfileFold(*split_profile_counters(before.counters))
    titles: dict[str, TitleFold] = {}
    for event in sorted(events, key=in_order):
        whole.apply(event)
        if event.kind in RECORD_KINDS:
            title = titles.get(event.title_id)
            if title is None:
                held = before.titles.get(event.title_id)
                title = titles[event.title_id] = TitleFold(*held) if held else TitleFold()
            title.apply(event)
    write = ProfileWrite(tenant, profile_id, before.applied, applied)
    write.fields[COUNTERS] = whole.encode_profile_counters()
    for title_id, title in titles.items():
        write.fields[TITLE + title_id.encode()] = title.encode_record()
        if title.edges:
            write.watched[title_id] = title.encode_intervals()
    return write


def _counter_row(live: LiveTitleCounters, row: int) -> tuple[str, str, bytes]:
    country, title_id = live.rows.keys[row]
    return country, title_id, encode_counters(Counters(*live.row(row)))
