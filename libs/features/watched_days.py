"""Watched days: what one profile watched of one title on one local day; recaps are made of them.

A function of the set of events, so days of two sets that share no event are merged by adding.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import add
from typing import Final

from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.viewing import local_time
from libs.features.engagement import PLAYBACK_KINDS, watched_ms

HOUR_COUNT: Final = 24

# The kinds that make a day; a rating says that the title was watched, if not when.
DAY_KINDS: Final = PLAYBACK_KINDS | {EventKind.RATING}

_EPOCH: Final = date(1970, 1, 1).toordinal()
_NO_HOURS: Final = (0,) * HOUR_COUNT


@dataclass(frozen=True, slots=True)
class WatchedDay:
    """One title on one day, both by the clock of each event's own time zone."""

    title_id: str
    day: int  # days since 1970-01-01
    play_count: int = 0
    rewatch_count: int = 0
    complete_count: int = 0
    rating_count: int = 0
    watched_ms: int = 0  # at normal speed, rewatches included
    hours_ms: tuple[int, ...] = _NO_HOURS  # (24,) watched_ms by the hour in which it was told
    duration_ms: int = 0  # the longest that any event said
    first_ms: int = 0  # when the first event occurred, Unix ms
    last_ms: int = 0
    time_zone: str = ""  # of the last event; "" is UTC

    @property
    def date(self) -> date:
        """The local day."""
        return date.fromordinal(_EPOCH + self.day)

    def merged(self, other: "WatchedDay") -> "WatchedDay":
        """The day together with what other events of the same title and day say."""
        last_ms, time_zone = max((self.last_ms, self.time_zone), (other.last_ms, other.time_zone))
        return WatchedDay(
            title_id=self.title_id,
            day=self.day,
            play_count=self.play_count + other.play_count,
            rewatch_count=self.rewatch_count + other.rewatch_count,
            complete_count=self.complete_count + other.complete_count,
            rating_count=self.rating_count + other.rating_count,
            watched_ms=self.watched_ms + other.watched_ms,
            hours_ms=tuple(map(add, self.hours_ms, other.hours_ms)),
            duration_ms=max(self.duration_ms, other.duration_ms),
            first_ms=min(self.first_ms, other.first_ms),
            last_ms=last_ms,
            time_zone=time_zone,
        )


def watched_days(events: Iterable[Event]) -> list[WatchedDay]:
    """The days of one profile's events, each event once, by (day, title id)."""
    return merge_days(_day(event) for event in events if event.kind in DAY_KINDS)


def merge_days(days: Iterable[WatchedDay]) -> list[WatchedDay]:
    """Days of distinct events with those of one title and day made one, by (day, title id)."""
    found: dict[tuple[int, str], WatchedDay] = {}
    for one in days:
        key = (one.day, one.title_id)
        known = found.get(key)
        found[key] = one if known is None else known.merged(one)
    return [found[key] for key in sorted(found)]


def between(days: Iterable[WatchedDay], first: int | None, last: int | None) -> list[WatchedDay]:
    """Those from one day to another, both included; None is any."""
    return [
        one
        for one in days
        if (first is None or one.day >= first) and (last is None or one.day <= last)
    ]


def day_number(day: date) -> int:
    """What `WatchedDay.day` calls that day."""
    return day.toordinal() - _EPOCH


def _day(event: Event) -> WatchedDay:
    local = local_time(event.occurred_ms, event.context.time_zone)
    passed_ms = watched_ms(event)
    hours = [0] * HOUR_COUNT
    hours[local.hour] = passed_ms
    detail = event.detail
    return WatchedDay(
        title_id=event.title_id,
        day=day_number(local),
        play_count=int(event.kind is EventKind.PLAY),
        rewatch_count=int(event.kind is EventKind.REWATCH),
        complete_count=int(event.kind is EventKind.COMPLETE),
        rating_count=int(event.kind is EventKind.RATING),
        watched_ms=passed_ms,
        hours_ms=tuple(hours),
        duration_ms=detail.duration_ms if isinstance(detail, WatchedInterval) else 0,
        first_ms=event.occurred_ms,
        last_ms=event.occurred_ms,
        time_zone=event.context.time_zone,
    )
