"""A diary: what one viewer watched, kept event by event, as the README defines the words.

It is what the verifier of a single profile counts over, in plain Python: DuckDB plans its queries
for longer than it takes to walk through a profile's events. Nothing here is the engine's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, NamedTuple

import polars as pl

from libs.domain.title import Title, TitleKind
from libs.features.watched_days import WatchedDay
from services.recap.year.period import Period

_WATCHING: Final = frozenset({"PLAY", "PROGRESS", "PAUSE", "REWATCH", "STOP", "COMPLETE"})
_NIGHT: Final = frozenset({22, 23, 0, 1, 2, 3, 4})
# Whose, by session and title; of a profile that nobody shares there is no such table.
Whose = Mapping[tuple[str, str], str] | None


class Entry(NamedTuple):
    """One event that watched something or nothing."""

    occurred_ms: int
    kind: str
    title_id: str
    whole_id: str
    watched_ms: int
    day: int


class _Event(NamedTuple):
    """A row of a history with its day and hour on the wall; three are in the order of rows."""

    occurred_ms: int
    sequence: int
    event_id: str
    recorded_ms: int
    kind: str
    title_id: str
    session_id: str
    from_ms: int
    to_ms: int
    thumb: str
    rating_value: float
    rating_scale: float
    day: int
    hour: int


_COLUMNS: Final = _Event._fields[:-2]


@dataclass(slots=True)
class TitleDay:
    """What was watched of one title on one day on the wall."""

    whole_id: str
    watched_ms: int = 0
    night_ms: int = 0
    plays: int = 0
    completes: int = 0
    last_ms: int | None = None  # of the last event that watched more than nothing

    def add(self, watched_ms: int, night_ms: int, last_ms: int) -> None:
        """Add what watched so much, and was over then."""
        self.watched_ms += watched_ms
        self.night_ms += night_ms
        if watched_ms > 0 and (self.last_ms is None or last_ms > self.last_ms):
            self.last_ms = last_ms


@dataclass(slots=True)
class Opinion:
    """The newest of each."""

    thumb: str = ""
    rating: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Diary:
    """Of one viewer up to the cutoff; title ids are those of events, known or not."""

    titles: Mapping[str, Title]
    period: Period
    cutoff_ms: int
    entries: list[Entry] = field(default_factory=list)  # of the period, in order
    days: dict[tuple[str, int], TitleDay] = field(default_factory=dict)  # of all time
    opinions: dict[str, Opinion] = field(default_factory=dict)

    def whole_id(self, title_id: str) -> str:
        """The series of an episode; of anything else itself."""
        title = self.titles.get(title_id)
        is_part = title is not None and title.kind is TitleKind.EPISODE
        return title.parent_id if title is not None and is_part else title_id

    def told(self) -> list[tuple[str, int, TitleDay]]:
        """Title, day and what was watched, of the period."""
        first, last = self.period.first_number, self.period.last_number
        return [(*key, one) for key, one in self.days.items() if first <= key[1] <= last]


def diaries(
    history: pl.DataFrame,
    wall: tuple[list[int], list[int]],
    older: Iterable[WatchedDay],
    titles: Mapping[str, Title],
    period: Period,
    cutoff_ms: int,
    profile_id: str,
    whose: Whose,
) -> dict[str, Diary]:
    """The diary of each viewer of one profile's `history`, whose days and hours `wall` has.

    `older` is what compaction has left, which is nobody's of a profile that is shared.
    """
    found: dict[str, Diary] = {}
    # Sorted here: that others have brought them in order is theirs to believe.
    columns = (history[name].to_list() for name in _COLUMNS)
    for row in sorted(zip(*columns, *wall, strict=True), key=itemgetter(0, 1, 2)):
        event = _Event(*row)
        if event.occurred_ms > cutoff_ms or event.recorded_ms > cutoff_ms:
            continue
        viewer_id = profile_id if whose is None else whose.get((event.session_id, event.title_id))
        if viewer_id is None:
            continue
        diary = found.get(viewer_id)
        if diary is None:
            diary = found[viewer_id] = Diary(titles, period, cutoff_ms)
        _note(event, diary)
    if whose is None:
        for old in older:
            _keep(old, found.setdefault(profile_id, Diary(titles, period, cutoff_ms)))
    return found


def _note(event: "_Event", diary: Diary) -> None:
    title_id, kind = event.title_id, event.kind
    if kind in _WATCHING:
        watched_ms, day = event.to_ms - event.from_ms, event.day
        one = diary.days.get((title_id, day))
        if one is None:
            one = diary.days[title_id, day] = TitleDay(diary.whole_id(title_id))
        one.add(watched_ms, watched_ms if event.hour in _NIGHT else 0, event.occurred_ms)
        one.plays += kind == "PLAY"
        one.completes += kind == "COMPLETE"
        if diary.period.first_number <= day <= diary.period.last_number:
            diary.entries.append(
                Entry(event.occurred_ms, kind, title_id, one.whole_id, watched_ms, day)
            )
    elif kind == "THUMB":
        diary.opinions.setdefault(title_id, Opinion()).thumb = event.thumb
    elif kind == "RATING":
        rating = event.rating_value / event.rating_scale
        diary.opinions.setdefault(title_id, Opinion()).rating = rating


def _keep(old: WatchedDay, diary: Diary) -> None:
    whole_id = diary.whole_id(old.title_id)
    one = diary.days.setdefault((old.title_id, old.day), TitleDay(whole_id))
    one.add(old.watched_ms, sum(old.hours_ms[hour] for hour in _NIGHT), old.last_ms)
    one.plays += old.play_count
    one.completes += old.complete_count
    # Days do not carry in which order something was watched.
    if diary.period.first_number <= old.day <= diary.period.last_number:
        diary.entries.clear()
