"""Faults planted in what the engine counts over, or in what it says: the verifier finds each."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Final

import polars as pl
import pytest

from libs.domain.event import DAY_MS, Event
from libs.domain.title import Title
from services.recap.year import comparison
from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import cohorts, contribution
from services.recap.year.counting import Counted, full_members
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME, Period
from services.recap.year.stories import STORIES, count
from services.recap.year.walk import Walk
from services.recap.year.watched import Watched, by_date, by_title, watched
from tests.made_world import UNTIL_MS, small_world
from tests.services.recap.year.made_counts import verifier_of, walk_of

CUTOFF_MS: Final = UNTIL_MS - DAY_MS
PERIOD: Final = Period(dt.date(2024, 9, 1), dt.date(2024, 9, 30))

History = Callable[[pl.DataFrame], pl.DataFrame]
Seen = Callable[[Watched], Watched]


@cache
def _made() -> tuple[pl.DataFrame, tuple[Title, ...]]:
    log, titles = small_world()
    # Half of them far from Greenwich, so that a wrong clock shows.
    zones = ("America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin")

    def moved(event: Event, place: int) -> Event:
        context = dataclasses.replace(event.context, time_zone=zones[place % 3])
        return dataclasses.replace(event, context=context, recording=None)

    def place(event: Event) -> int:
        return int(event.profile_id.encode()[-1]) + event.occurred_ms // (9 * DAY_MS)

    kept = [moved(event, place(event)) for event in log.events]
    return of_events(kept), titles


def _days(**columns: pl.Expr) -> Seen:
    def change(seen: Watched) -> Watched:
        inside = pl.col("day").is_between(seen.period.first_number, seen.period.last_number)
        lifetime = seen.lifetime.with_columns(**columns)
        days = lifetime.filter(inside)
        return dataclasses.replace(
            seen,
            lifetime=lifetime,
            days=days,
            titles=by_title(days),
            dates=by_date(days),
            events=seen.events.with_columns(
                **{name: value for name, value in columns.items() if name == "day"}
            ),
        )

    return change


def _one_profile(frame: pl.DataFrame) -> pl.Expr:
    return pl.col("profile_id").eq(pl.lit(frame["profile_id"].mode()[0]))


def _long_event_of_september(history: pl.DataFrame) -> str:
    in_september = pl.col("occurred_ms").is_between(CUTOFF_MS - 20 * DAY_MS, CUTOFF_MS - 9 * DAY_MS)
    is_long = pl.col("to_ms") > pl.col("from_ms") + 60_000
    return str(history.filter(in_september & is_long)["event_id"][0])


HISTORY_FAULTS: Final[dict[str, History]] = {
    "UTC for local": lambda history: history.with_columns(time_zone=pl.lit("")),
    "the zone of the first event for all": lambda history: history.with_columns(
        time_zone=pl.col("time_zone").first().over("profile_id")
    ),
    "standard time all year": lambda history: history.with_columns(
        time_zone=pl.when(pl.col("time_zone") == "Europe/Berlin")
        .then(pl.lit("Etc/GMT-1"))
        .otherwise("time_zone")
    ),
    "every event twice": lambda history: pl.concat([history, history]).sort(
        "profile_id", "occurred_ms", "sequence", "event_id"
    ),
    "the events of one profile twice": lambda history: pl.concat(
        [history, history.filter(_one_profile(history))]
    ).sort("profile_id", "occurred_ms", "sequence", "event_id"),
    "pauses watched nothing": lambda history: history.filter(pl.col("kind") != "PAUSE"),
    "only ends count": lambda history: history.filter(pl.col("kind") != "PROGRESS"),
    "one event lost": lambda history: history.filter(
        pl.col("event_id") != _long_event_of_september(history)
    ),
    "one event given to another profile": lambda history: history.with_columns(
        profile_id=pl.when(pl.int_range(pl.len()) == 40)
        .then(pl.col("profile_id").last())
        .otherwise("profile_id")
    ).sort("profile_id", "occurred_ms", "sequence", "event_id"),
    "seconds for milliseconds": lambda history: history.with_columns(
        to_ms=pl.col("from_ms") + (pl.col("to_ms") - pl.col("from_ms")) // 1000
    ),
    "every title its own": lambda history: history.with_columns(
        title_id=pl.col("title_id") + "-copy"
    ),
}
SEEN_FAULTS: Final[dict[str, Seen]] = {
    "off by one day": _days(day=pl.col("day") + 1),
    "the night from 21:00": _days(night_ms=pl.col("watched_ms") // 2),
    "minutes rounded up": _days(watched_ms=pl.col("watched_ms") + 30_000),
    "plays that are completes": _days(plays=pl.col("completes")),
    "completes that are plays": _days(completes=pl.col("plays")),
    "episodes for series": lambda seen: dataclasses.replace(
        seen,
        titles=seen.titles.with_columns(w=pl.col("t")),
        dates=by_date(seen.days.with_columns(w=pl.col("t"))),
        events=seen.events.with_columns(w=pl.col("t")),
    ),
    "a genre told twice": lambda seen: dataclasses.replace(
        seen, genres=seen.genres.with_columns(watched_ms=2 * pl.col("watched_ms"))
    ),
    "a person told twice": lambda seen: dataclasses.replace(
        seen,
        catalogue=dataclasses.replace(
            seen.catalogue, people=pl.concat([seen.catalogue.people, seen.catalogue.people])
        ),
    ),
    "no memory before the period": lambda seen: dataclasses.replace(seen, lifetime=seen.days),
    "events out of order": lambda seen: dataclasses.replace(
        seen, events=seen.events.sort("p", "t", "at_ms")
    ),
    "releases in the wrong year": lambda seen: dataclasses.replace(
        seen,
        catalogue=dataclasses.replace(
            seen.catalogue,
            titles=seen.catalogue.titles.with_columns(
                release_date=pl.col("release_date").dt.offset_by("-1y")
            ),
        ),
    ),
}
ASKED_FAULTS: Final[dict[str, tuple[Period, int]]] = {
    "the last day left out": (Period(PERIOD.first, PERIOD.last - dt.timedelta(1)), CUTOFF_MS),
    "the first day left out": (Period(PERIOD.first + dt.timedelta(1), PERIOD.last), CUTOFF_MS),
    "a day too many": (Period(PERIOD.first, PERIOD.last + dt.timedelta(1)), CUTOFF_MS),
    "events after the cutoff": (Period(PERIOD.first, dt.date(2024, 12, 31)), CUTOFF_MS + DAY_MS),
}
SAID_FAULTS: Final[dict[str, History]] = {
    "one more": lambda facts: facts.with_columns(number=pl.col("number") + 1),
    "each fact twice": lambda facts: pl.concat([facts, facts]),
    "a fact left out": lambda facts: facts.tail(-1),
    "another's facts": lambda facts: facts.with_columns(profile_id=pl.col("profile_id").reverse()),
    "another name": lambda facts: facts.with_columns(
        text=pl.when(pl.col("text").is_not_null()).then(pl.lit("x"))
    ),
}


def _disagreeing(
    change: Callable[[str, pl.DataFrame], pl.DataFrame], seen: Watched
) -> tuple[set[str], set[str]]:
    """The stories of which each verifier does not believe what `change` makes of `seen`."""
    history, titles = _made()
    facts = {story: change(story, count(story, seen)) for story in STORIES}
    walk = _walk()
    with verifier_of(history, titles, PERIOD, CUTOFF_MS) as verifier:
        in_sql = {story for story, said in facts.items() if verifier.disagreeing(story, said)}
    return in_sql, {story for story, said in facts.items() if walk.disagreeing(story, said)}


@cache
def _walk() -> Walk:
    return walk_of(*_made(), PERIOD, CUTOFF_MS)


def _seen(history: pl.DataFrame, period: Period = PERIOD, cutoff_ms: int = CUTOFF_MS) -> Watched:
    return watched(history, Catalogue.of(_made()[1]), period, cutoff_ms)


def test_without_a_fault_everything_is_believed() -> None:
    seen = _seen(_made()[0])
    assert sum(count(story, seen).height for story in STORIES) > 3_000
    assert _disagreeing(lambda story, facts: facts, seen) == (set(), set())


@pytest.mark.parametrize("fault", HISTORY_FAULTS)
def test_a_fault_in_what_is_read_is_caught(fault: str) -> None:
    seen = _seen(HISTORY_FAULTS[fault](_made()[0]))
    assert all(_disagreeing(lambda story, facts: facts, seen))


@pytest.mark.parametrize("fault", SEEN_FAULTS)
def test_a_fault_in_what_was_watched_is_caught(fault: str) -> None:
    seen = SEEN_FAULTS[fault](_seen(_made()[0]))
    assert all(_disagreeing(lambda story, facts: facts, seen))


@pytest.mark.parametrize("fault", ASKED_FAULTS)
def test_a_fault_in_the_period_is_caught(fault: str) -> None:
    period, cutoff_ms = ASKED_FAULTS[fault]
    seen = dataclasses.replace(_seen(_made()[0], period, cutoff_ms), period=PERIOD)
    assert all(_disagreeing(lambda story, facts: facts, seen))


@pytest.mark.parametrize("fault", SAID_FAULTS)
def test_a_fault_in_what_is_said_is_caught(fault: str) -> None:
    seen = _seen(_made()[0])
    assert all(_disagreeing(lambda story, facts: SAID_FAULTS[fault](facts), seen))


def test_both_verifiers_doubt_the_same_facts_of_the_same_profiles() -> None:
    history, titles = _made()
    with verifier_of(history, titles, PERIOD, CUTOFF_MS) as verifier:
        for fault in ("UTC for local", "one event lost", "every event twice"):
            seen = _seen(HISTORY_FAULTS[fault](history))
            doubted = 0
            for story in STORIES:
                facts = count(story, seen)
                whose = verifier.disagreeing(story, facts)
                assert _walk().disagreeing(story, facts) == whose
                doubted += len(whose)
            assert doubted


def test_both_verifiers_catch_a_fault_in_a_comparison() -> None:
    history, titles = _made()
    seen = watched(history, Catalogue.of(titles), LIFETIME, CUTOFF_MS)
    stories = {story: Counted(count(story, seen), ()) for story in STORIES}
    taste, axes = stories["taste"].facts, stories["axes"].facts
    members = full_members(stories, dict.fromkeys(seen.profiles.to_list(), "PT"))
    frozen = cohorts([contribution(members, taste, axes)])
    assert frozen.countries["PT"].size >= 50
    found = {
        "country": comparison.country(members, taste, frozen),
        "archetype": comparison.archetype(members, axes, frozen),
    }
    walk = Walk({})
    with verifier_of(history, titles, LIFETIME, CUTOFF_MS) as verifier:
        for one in (verifier, walk):
            doubted = one.disagreeing_comparisons(members, taste, axes, frozen, found)
            assert doubted == {"country": [], "archetype": []}
        for fault, change in SAID_FAULTS.items():
            said = {story: change(facts) for story, facts in found.items()}
            in_sql, in_walk = (
                one.disagreeing_comparisons(members, taste, axes, frozen, said)
                for one in (verifier, walk)
            )
            assert in_sql == in_walk
            assert all(in_sql.values()), fault
        # Facts that are as they should be, of cohorts that are not those of the run.
        others = cohorts([contribution(members.head(members.height * 3 // 4), taste, axes)])
        for one in (verifier, walk):
            assert all(one.disagreeing_comparisons(members, taste, axes, others, found).values())
