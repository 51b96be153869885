"""A profile's state: its title records, its own counters, and how events make them."""

import dataclasses
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.viewing import Device
from libs.features.counters import Counters, decode_counters, empty, encode_counters, left
from libs.features.daypart import DAYPART_COUNT, event_daypart
from libs.features.engagement import engagement
from libs.features.title_record import RECORD_KINDS, SIGHT_TTL_MS, TITLE_RECORD, TitleFold
from libs.features.wishes import NO_WISHES, Wishes, decode_wishes, encode_wishes

# Two months: what a profile did last season says little about when and where it watches now.
PROFILE_HALF_LIFE_MS: Final = 60.0 * DAY_MS

PROFILE_COUNTER_NAMES: Final = (
    "engagement",
    "starts",
    "impressions",
    *(f"engagement_device_{device.name.lower()}" for device in Device),
    *(f"engagement_daypart_{part}" for part in range(DAYPART_COUNT)),
)
PROFILE_HALF_LIVES_MS: Final[NDArray[np.float64]] = np.full(
    len(PROFILE_COUNTER_NAMES), PROFILE_HALF_LIFE_MS
)
_ENGAGEMENT, _STARTS, _IMPRESSIONS, _DEVICES = range(4)
_DAYPARTS: Final = _DEVICES + len(Device)

_TIME: Final = struct.Struct("<q")
_COUNTERS_SIZE: Final = len(encode_counters(empty(len(PROFILE_COUNTER_NAMES))))

# What a record says of sights, and by what it shows that there is anything else.
_SIGHTS: Final = ("impressions", "clicks", "shown_ms")
_SAID: Final = ("last_ms", "thumb_tie", "listed_tie", "rating_tie", "position_tie")

in_order = attrgetter("order")


@dataclass(frozen=True, slots=True, eq=False)
class ProfileState:
    """Title records (n,) with their ids ascending, the profile's counters and its wishes."""

    title_ids: tuple[str, ...]
    records: NDArray[np.void]  # (n,) of TITLE_RECORD
    counters: Counters  # of PROFILE_COUNTER_NAMES
    newest_ms: int  # the newest event of any kind; 0 for none
    wishes: Wishes = NO_WISHES

    def age_ms(self, at_ms: int) -> int | None:
        """How long before `at_ms` the newest event was that is in here; None without any."""
        return max(at_ms - self.newest_ms, 0) if self.newest_ms else None


_NO_COUNTERS: Final = empty(len(PROFILE_COUNTER_NAMES))

EMPTY: Final = ProfileState((), np.zeros(0, TITLE_RECORD), _NO_COUNTERS, 0)


def replay(events: Iterable[Event], base: "ProfileBase | None" = None) -> ProfileState:
    """The state after `events` of one profile, each event_id once, in any order.

    `base` is what other events of it, that are no longer there, have made.
    """
    whole = ProfileReplay(base or NO_BASE)
    whole.advance(events)
    return whole.state()


@dataclass(frozen=True, slots=True, eq=False)
class ProfileBase:
    """What events have made of a profile that are no longer there: replays go on from it."""

    own: bytes = b""  # as of ProfileFold
    newest_ms: int = 0
    # By title id: its encoded record and encoded intervals.
    titles: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)


NO_BASE: Final = ProfileBase()


class ProfileReplay:
    """The states of one profile at ascending times, in one pass over its events."""

    def __init__(self, base: ProfileBase = NO_BASE) -> None:
        self._titles = {title_id: TitleFold(*held) for title_id, held in base.titles.items()}
        self._profile = ProfileFold(base.own, base.newest_ms)

    def advance(self, events: Iterable[Event]) -> None:
        """Fold in the next events, which are sorted here; earlier ones came in earlier calls."""
        for event in sorted(events, key=in_order):
            self._profile.apply(event)
            if event.kind in RECORD_KINDS:
                title = self._titles.get(event.title_id)
                if title is None:
                    title = self._titles[event.title_id] = TitleFold()
                title.apply(event)

    def rows(self) -> list[tuple[str, bytes, bytes]]:
        """Each title's id, encoded record and encoded intervals, ascending: as tables hold them."""
        folds = sorted(self._titles.items())
        return [(one, fold.encode_record(), fold.encode_intervals()) for one, fold in folds]

    def own(self) -> tuple[bytes, int]:
        """What is the profile's own, and its newest_ms: as tables hold them."""
        return self._profile.encode(), self._profile.newest_ms

    def state(self) -> ProfileState:
        """The state after everything so far."""
        title_ids = tuple(sorted(self._titles))
        records = b"".join([self._titles[title_id].encode_record() for title_id in title_ids])
        whole = self._profile
        return ProfileState(
            title_ids, decode_records(records), whole.counters(), whole.newest_ms, whole.wishes
        )


class ProfileFold:
    """What is the profile's own, its counters and wishes, in the making."""

    __slots__ = ("_at_ms", "_values", "newest_ms", "wishes")

    def __init__(self, own: bytes = b"", newest_ms: int = 0) -> None:
        """Continue from what `encode` gave and from `newest_ms`, or from nothing."""
        counters, self.wishes = decode_own(own) if own else (_NO_COUNTERS, NO_WISHES)
        self._values: list[float] = counters.values.tolist()
        self._at_ms = counters.at_ms
        self.newest_ms = newest_ms

    def apply(self, event: Event) -> None:
        """Fold in one event of this profile."""
        self.newest_ms = max(self.newest_ms, event.occurred_ms)
        if event.kind is EventKind.QUIZ_ANSWER:
            self.wishes = self.wishes.after(event)
            return
        is_shown, is_started = event.kind is EventKind.IMPRESSION, event.kind is EventKind.PLAY
        share = engagement(event)
        if not (is_shown or is_started or share > 0.0):
            return
        weight = self._aged(event.occurred_ms)
        values = self._values
        if is_shown:
            values[_IMPRESSIONS] += weight
        if is_started:
            values[_STARTS] += weight
        if share > 0.0:
            values[_ENGAGEMENT] += share * weight
            values[_DEVICES + event.context.device] += share * weight
            values[_DAYPARTS + event_daypart(event)] += share * weight

    def counters(self) -> Counters:
        """The counters after everything so far."""
        return Counters(np.array(self._values), self._at_ms)

    def encode(self) -> bytes:
        """Counters and wishes as tables hold them; `newest_ms` has a column of its own."""
        return encode_own(self.counters(), self.wishes)

    def encode_profile_counters(self) -> bytes:
        """What the contract calls profile_counters."""
        return _TIME.pack(self.newest_ms) + self.encode()

    def _aged(self, at_ms: int) -> float:
        """Bring the counters to `at_ms` if that is later; returns what 1 of then is worth there."""
        ahead_ms = at_ms - self._at_ms
        if ahead_ms <= 0:
            return left(-ahead_ms, PROFILE_HALF_LIFE_MS)
        kept = left(ahead_ms, PROFILE_HALF_LIFE_MS)
        self._values = [value * kept for value in self._values]
        self._at_ms = at_ms
        return 1.0


def unexpired(state: ProfileState, at_ms: int) -> ProfileState:
    """The state without what has expired at `at_ms`.

    Wishes do after WISH_TTL_MS. Sights of a title of which nothing was heard for SIGHT_TTL_MS are
    none; a title of which there is nothing else is left out.
    """
    wishes = state.wishes.unexpired(at_ms)
    if wishes is not state.wishes:
        state = dataclasses.replace(state, wishes=wishes)
    records = state.records
    is_old = records["counters_ms"] < at_ms - SIGHT_TTL_MS
    is_old &= (records["shown_ms"] > 0) | (records["clicks"] > 0)
    if not is_old.any():
        return state
    kept = records.copy()
    for name in _SIGHTS:
        kept[name][is_old] = 0
    is_said = ~is_old
    for name in _SAID:
        is_said |= kept[name] > 0
    title_ids = tuple(
        [one for one, is_kept in zip(state.title_ids, is_said, strict=True) if is_kept]
    )
    return dataclasses.replace(state, title_ids=title_ids, records=kept[is_said])


def counters_at(counters: Counters, at_ms: int) -> dict[str, float]:
    """PROFILE_COUNTER_NAMES with what is left of each at `at_ms`."""
    kept = left(max(at_ms - counters.at_ms, 0), PROFILE_HALF_LIFE_MS)
    return dict(zip(PROFILE_COUNTER_NAMES, (counters.values * kept).tolist(), strict=True))


def encode_records(records: NDArray[np.void]) -> bytes:
    """The packed little-endian bytes of records (n,)."""
    return records.astype(TITLE_RECORD, copy=False).tobytes()


def decode_records(data: bytes) -> NDArray[np.void]:
    """The inverse of `encode_records`: (n,), read-only."""
    return np.frombuffer(data, TITLE_RECORD)


def encode_own(counters: Counters, wishes: Wishes) -> bytes:
    """What is the profile's own: the counters, then the wishes."""
    return encode_counters(counters) + encode_wishes(wishes)


def decode_own(data: bytes) -> tuple[Counters, Wishes]:
    """The inverse of `encode_own`."""
    return decode_counters(data[:_COUNTERS_SIZE]), decode_wishes(data[_COUNTERS_SIZE:])


def encode_profile_counters(state: ProfileState) -> bytes:
    """What the contract calls profile_counters: newest_ms, then what is the profile's own."""
    return _TIME.pack(state.newest_ms) + encode_own(state.counters, state.wishes)


def split_profile_counters(profile_counters: bytes) -> tuple[bytes, int]:
    """What a ProfileFold goes on from; empty `profile_counters` are a new profile's."""
    if not profile_counters:
        return b"", 0
    return profile_counters[_TIME.size :], *_TIME.unpack_from(profile_counters)


def decode_state(
    title_ids: Sequence[str], title_records: bytes, profile_counters: bytes
) -> ProfileState:
    """A state from the columns that travel; empty `profile_counters` are a new profile's."""
    if not profile_counters:
        return EMPTY
    (newest_ms,) = _TIME.unpack_from(profile_counters)
    counters, wishes = decode_own(profile_counters[_TIME.size :])
    return ProfileState(
        tuple(title_ids), decode_records(title_records), counters, newest_ms, wishes
    )
