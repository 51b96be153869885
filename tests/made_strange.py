"""Histories as strange as the log takes them, and a catalogue with holes."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np

from libs.domain.consent import Consent
from libs.domain.event import (
    DAY_MS,
    Event,
    EventKind,
    Rating,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.profile import Profile
from libs.domain.title import Person, Title, TitleKind
from libs.domain.viewing import Device, ViewingContext

CUTOFF_MS: Final = 1_735_707_600_000  # 2025-01-01T05:00Z: the year is over, but not in the west
_HOUR_MS: Final = 3_600_000
_GENRES: Final = ("drama", "comedy", "noir", "ž", "Ž", "😀", "a.1", "taste.x", "5")
_ZONES: Final = (
    "", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia",
    "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Casablanca", "America/Vancouver",
    "Antarctica/Troll", "EST", "Factory",
)  # fmt: skip
# New year, leap day, clocks set, a day that never was, a clock that was never set, ten years ago.
_ANCHORS_MS: Final = (
    *(
        round(dt.datetime.fromisoformat(f"{text}Z").timestamp() * 1000)
        for text in (
            "2024-01-01T00:00", "2024-02-29T00:00", "2024-03-01T00:00", "2024-03-31T01:00",
            "2024-10-27T01:00", "2024-12-31T23:00", "2011-12-30T10:00", "1970-01-01T12:00",
            "2015-06-01T00:00",
        )
    ),
    CUTOFF_MS,
    CUTOFF_MS - 180 * DAY_MS,
)  # fmt: skip
_STEPS_MS: Final = (0, 1, 60_000, 1_800_000, 1_800_001, _HOUR_MS, DAY_MS)
_WATCHED_MS: Final = (0, 0, 1, 59_999, 60_000, 1_800_000, 1_800_001, 5_400_000)
_COUNTS: Final = (1, 2, 8, 50, 220)  # events of a profile
_KINDS: Final = (
    EventKind.PLAY, EventKind.PROGRESS, EventKind.PAUSE, EventKind.SEEK, EventKind.REWATCH,
    EventKind.STOP, EventKind.COMPLETE,
)  # fmt: skip


def strange_titles(rng: np.random.Generator) -> list[Title]:
    """Without genres, dates or ages; of series that are gone, of films, of extras."""
    found = [
        Title(
            f"m{place}",
            TitleKind.MOVIE,
            "ل" * 300 if place == 1 else f"🎬 {place}",
            genres=tuple(rng.choice(_GENRES, int(rng.integers(4)), replace=False).tolist()),
            people=tuple(Person(f"P{number}", f"r{number}") for number in rng.integers(6, size=3)),
            release_date=dt.date(int(rng.integers(1999, 2026)), 1, 1) if place % 3 else None,
            maturity_years=int(rng.choice([0, 6, 7, 8, 18])),
        )
        for place in range(12)
    ]
    for name in ("s0", "s1", "s2"):
        people = (Person("ความสุข"), Person("P1"), Person("P1", "director"))
        found.append(Title(name, TitleKind.SERIES, name, genres=("drama", "noir"), people=people))
        found += [
            Title(f"{name}e{number}", TitleKind.EPISODE, "E", parent_id=name, season_number=number)
            for number in range(6)
        ]
    return [
        *found,
        Title("lost", TitleKind.EPISODE, "of a series that is gone", parent_id="gone-series"),
        Title("odd", TitleKind.EPISODE, "of a film", parent_id="m2"),
        Title("deep", TitleKind.EPISODE, "of an episode", parent_id="s0e0"),
        Title("extra", TitleKind.EXTRA, "of a series", parent_id="s1"),
        Title("live", TitleKind.LIVE, "Live"),
    ]


def strange_profiles(count: int) -> list[Profile]:
    """Of a few countries or none; some are for children, some refuse."""
    return [
        Profile(
            _profile_id(place),
            country=("PT", "ES", "")[place % 3],
            kids=place % 31 == 0,
            maturity_limit_years=12 if place % 29 == 0 else None,
            refused_consents=frozenset({Consent.RECAP} if place % 37 == 0 else ()),
        )
        for place in range(count)
        if place % 11  # of the others nothing is stored
    ]


def strange_events(
    rng: np.random.Generator, titles: Sequence[Title], profile_count: int
) -> list[Event]:
    """Events of so many profiles, of what the catalogue never had too."""
    ids = [*(title.title_id for title in titles), "gone", "gone-series"]
    found = []
    for place in range(profile_count):
        profile_id, at_ms, title_id = _profile_id(place), 0, ids[0]
        for number in range(_COUNTS[place % len(_COUNTS)]):
            if number % 6 == 0:
                at_ms = int(rng.choice(_ANCHORS_MS)) + int(rng.integers(-30, 31)) * _HOUR_MS
            if number % 4 == 0:
                title_id = ids[int(rng.integers(len(ids)))]
            at_ms = max(0, at_ms + int(rng.choice(_STEPS_MS)) + int(rng.integers(-1, 2)))
            kind, detail = _what(rng)
            found.append(
                Event(
                    f"e{place}-{number}",
                    profile_id,
                    kind,
                    at_ms,
                    sequence=int(rng.integers(3)),
                    session_id=f"s{number // 3}" if rng.random() > 0.1 else "",
                    title_id=title_id,
                    context=ViewingContext(
                        time_zone=str(rng.choice(_ZONES)), device=Device(int(rng.integers(6)))
                    ),
                    detail=detail,
                )
            )
    return found


def _profile_id(place: int) -> str:
    return f"p{place}" if place % 7 else f"ü{place}'😀"


def _what(rng: np.random.Generator) -> tuple[EventKind, WatchedInterval | Thumb | Rating]:
    luck = rng.random()
    if luck < 0.08:
        return EventKind.THUMB, Thumb(ThumbDirection(int(rng.integers(1, 4))))
    if luck < 0.16:
        scale = float(rng.choice([3, 5, 10, 100]))
        return EventKind.RATING, Rating(float(rng.choice([0, 0.5, 0.79, 0.8, 1])) * scale, scale)
    from_ms = int(rng.choice([0, 1_000, 60_000]))
    watched = WatchedInterval(from_ms, from_ms + int(rng.choice(_WATCHED_MS)), 7_200_000)
    return _KINDS[int(rng.integers(len(_KINDS)))], watched
