"""Title records: what one profile's events say about one title.

A record is a function of the set of events: decayed counters, registers that the newest event
writes, and what is measured of the union of watched intervals.
"""

import hashlib
import struct
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS, Event, EventKind, MyListChange, Rating, Thumb, WatchedInterval
from libs.features import engagement, intervals
from libs.features.counters import left

# Taste drifts over a season; the sight of a title wears off in two weeks.
TASTE_HALF_LIFE_MS: Final = 90.0 * DAY_MS
SIGHT_HALF_LIFE_MS: Final = 14.0 * DAY_MS
# A sight so old counts as none, by whoever reads it: a thousandth would be left of it.
SIGHT_TTL_MS: Final = 10 * SIGHT_HALF_LIFE_MS

# Times are Unix ms and 0 for never. A register (value, ms, sequence, tie) is written by the event
# that is newest by (occurred_ms, sequence, tie of event_id).
TITLE_RECORD: Final = np.dtype(
    [
        ("counters_ms", "<i8"),  # what the four counters are as of
        ("engagement", "<f8"),
        ("starts", "<f8"),
        ("impressions", "<f8"),
        ("clicks", "<f8"),
        ("last_ms", "<i8"),  # the newest playback or rating
        ("last_sequence", "<i8"),
        ("last_tie", "<u8"),
        ("shown_ms", "<i8"),  # the newest impression
        ("completed_ms", "<i8"),  # the newest COMPLETE
        ("duration_ms", "<i8"),  # the longest that any event said
        ("watched_ms", "<i8"),  # the length of the union of watched intervals
        ("prefix_ms", "<i8"),  # its contiguous part from the beginning
        ("position_ms", "<i8"),  # where playback was left
        ("position_at_ms", "<i8"),
        ("position_sequence", "<i8"),
        ("position_tie", "<u8"),
        ("rating", "<f8"),  # value / scale; NaN for none
        ("rating_ms", "<i8"),
        ("rating_sequence", "<i8"),
        ("rating_tie", "<u8"),
        ("thumb", "<i1"),  # +1, −1, or 0 for none and for taken back
        ("thumb_ms", "<i8"),
        ("thumb_sequence", "<i8"),
        ("thumb_tie", "<u8"),
        ("is_listed", "<i1"),
        ("listed_ms", "<i8"),
        ("listed_sequence", "<i8"),
        ("listed_tie", "<u8"),
        ("first_ms", "<i8"),  # the oldest playback or rating
    ]
)
_LAYOUT: Final = struct.Struct("<q4dqqQqqqqqqqqQdqqQbqqQbqqQq")

# The kinds that a record takes notice of; others make no row.
RECORD_KINDS: Final = engagement.PLAYBACK_KINDS | {
    EventKind.IMPRESSION,
    EventKind.CLICK,
    EventKind.THUMB,
    EventKind.RATING,
    EventKind.MY_LIST,
}

# The record of a title without events: all 0, and no rating.
_BLANK: Final = _LAYOUT.pack(*[0] * 17, float("nan"), *[0] * 12)

# What registers are ordered by: (occurred_ms, sequence, tie).
Key = tuple[int, int, int]


def fold(
    record: np.void | None, watched: NDArray[np.int64], events: Iterable[Event]
) -> tuple[np.void, NDArray[np.int64]]:
    """The record and watched intervals (m, 2) after `events` of its title, in any order.

    Each event may be folded in once.
    """
    before = _BLANK if record is None else record.tobytes()
    state = TitleFold(before, watched.tobytes())
    for event in events:
        state.apply(event)
    return (
        np.frombuffer(state.encode_record(), TITLE_RECORD)[0],
        np.array(state.edges, np.int64).reshape(-1, 2),
    )


def tie(event_id: str) -> int:
    """A number by which events of one time and sequence have one order, whoever compares them."""
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=8).digest(), "little")


class TitleFold:
    """The record in the making: plain numbers, because one event touches one record."""

    __slots__ = (
        "_clicks",
        "_completed_ms",
        "_counters_ms",
        "_duration_ms",
        "_engagement",
        "_first_ms",
        "_impressions",
        "_is_listed",
        "_last",
        "_listed",
        "_position",
        "_position_ms",
        "_rated",
        "_rating",
        "_shown_ms",
        "_starts",
        "_thumb",
        "_thumbed",
        "edges",
    )

    def __init__(self, record: bytes = _BLANK, watched: bytes = b"") -> None:
        """Continue from what `encode_record` and `encode_intervals` gave, or from nothing."""
        (
            self._counters_ms,
            self._engagement,
            self._starts,
            self._impressions,
            self._clicks,
            last_ms,
            last_sequence,
            last_tie,
            self._shown_ms,
            self._completed_ms,
            self._duration_ms,
            _watched_ms,
            _prefix_ms,
            self._position_ms,
            position_at_ms,
            position_sequence,
            position_tie,
            self._rating,
            rating_ms,
            rating_sequence,
            rating_tie,
            self._thumb,
            thumb_ms,
            thumb_sequence,
            thumb_tie,
            self._is_listed,
            listed_ms,
            listed_sequence,
            listed_tie,
            self._first_ms,
        ) = _LAYOUT.unpack(record)
        self._last = (last_ms, last_sequence, last_tie)
        self._position = (position_at_ms, position_sequence, position_tie)
        self._rated = (rating_ms, rating_sequence, rating_tie)
        self._thumbed = (thumb_ms, thumb_sequence, thumb_tie)
        self._listed = (listed_ms, listed_sequence, listed_tie)
        self.edges: list[int] = list(struct.unpack(f"<{len(watched) // 8}q", watched))

    def encode_record(self) -> bytes:
        """The bytes of one TITLE_RECORD."""
        return _LAYOUT.pack(
            self._counters_ms,
            self._engagement,
            self._starts,
            self._impressions,
            self._clicks,
            *self._last,
            self._shown_ms,
            self._completed_ms,
            self._duration_ms,
            intervals.edges_length_ms(self.edges),
            intervals.edges_prefix_ms(self.edges),
            self._position_ms,
            *self._position,
            self._rating,
            *self._rated,
            self._thumb,
            *self._thumbed,
            self._is_listed,
            *self._listed,
            self._first_ms,
        )

    def encode_intervals(self) -> bytes:
        """The bytes of the watched intervals: (m, 2) little-endian int64."""
        return struct.pack(f"<{len(self.edges)}q", *self.edges)

    def apply(self, event: Event) -> None:
        """Fold in one event of this title; kinds outside RECORD_KINDS change nothing."""
        kind = event.kind
        if kind is EventKind.IMPRESSION:
            weight = self._aged(event.occurred_ms, SIGHT_HALF_LIFE_MS)
            self._impressions += weight
            self._shown_ms = max(self._shown_ms, event.occurred_ms)
        elif kind is EventKind.CLICK:
            weight = self._aged(event.occurred_ms, SIGHT_HALF_LIFE_MS)
            self._clicks += weight
        elif kind in RECORD_KINDS:
            self._apply_opinion_or_playback(event)

    def _apply_opinion_or_playback(self, event: Event) -> None:
        key = (event.occurred_ms, event.sequence, tie(event.event_id))
        match event.detail:
            case WatchedInterval() as passed:
                self._apply_playback(event, passed, key)
            case Rating(value=value, scale=scale):
                weight = self._aged(event.occurred_ms, TASTE_HALF_LIFE_MS)
                self._engagement += weight
                self._note_viewing(event, key)
                if key > self._rated:
                    self._rated, self._rating = key, value / scale
            case Thumb() as thumb if key > self._thumbed:
                self._thumbed, self._thumb = key, engagement.thumb_value(thumb)
            case MyListChange(is_listed=is_listed) if key > self._listed:
                self._listed, self._is_listed = key, int(is_listed)
            case _:
                pass

    def _apply_playback(self, event: Event, passed: WatchedInterval, key: Key) -> None:
        weight = self._aged(event.occurred_ms, TASTE_HALF_LIFE_MS)
        self._engagement += weight * engagement.engagement(event)
        self._note_viewing(event, key)
        if key > self._position:
            self._position, self._position_ms = key, passed.to_ms
        self._duration_ms = max(self._duration_ms, passed.duration_ms)
        if event.kind is EventKind.PLAY:
            self._starts += weight
        elif event.kind is EventKind.COMPLETE:
            self._completed_ms = max(self._completed_ms, event.occurred_ms)
        if event.kind is not EventKind.SEEK:
            intervals.insert(self.edges, passed.from_ms, passed.to_ms)

    def _note_viewing(self, event: Event, key: Key) -> None:
        """A playback or a rating: when the first and the last were."""
        at_ms = max(event.occurred_ms, 1)  # 0 is never
        self._first_ms = min(self._first_ms or at_ms, at_ms)
        self._last = max(self._last, key)

    def _aged(self, at_ms: int, half_life_ms: float) -> float:
        """Bring the counters to `at_ms` if that is later; returns what 1 of then is worth there."""
        ahead_ms = at_ms - self._counters_ms
        if ahead_ms <= 0:
            return left(-ahead_ms, half_life_ms)
        taste = left(ahead_ms, TASTE_HALF_LIFE_MS)
        sight = left(ahead_ms, SIGHT_HALF_LIFE_MS)
        self._engagement *= taste
        self._starts *= taste
        self._impressions *= sight
        self._clicks *= sight
        self._counters_ms = at_ms
        return 1.0
