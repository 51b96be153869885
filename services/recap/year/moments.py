"""Stories of moments: the longest binge, the first and the last play, and remarkable days."""

from typing import Final

import polars as pl

from libs.domain.event import EventKind
from libs.domain.title import TitleKind
from services.recap.year.amounts import MINUTE_MS
from services.recap.year.long import date_text, facts
from services.recap.year.watched import Watched

# A longer pause ends a binge.
BINGE_GAP_MS: Final = 30 * 60_000
LEAST_EPISODES: Final = 3
LEAST_TITLES: Final = 3
LEAST_GAP_DAYS: Final = 14
LEAST_STREAK_DAYS: Final = 3


def binge(watched: Watched) -> pl.DataFrame:
    """The longest run of episodes of one series."""
    seen = watched.events.filter(pl.col("watched_ms") > 0)
    start_ms = pl.col("at_ms") - pl.col("watched_ms")
    is_other = (
        (pl.col("p") != pl.col("p").shift(1))
        | (pl.col("w") != pl.col("w").shift(1))
        | (start_ms - pl.col("at_ms").shift(1) > BINGE_GAP_MS)
    )
    runs = seen.with_columns(run=is_other.fill_null(value=True).cum_sum())
    kinds = watched.names.select("t", "title_id", "kind")
    found = (
        runs.group_by("run")
        .agg(
            pl.col("p", "w").first(),
            pl.col("watched_ms").sum(),
            episodes=pl.col("t").filter(pl.col("t") != pl.col("w")).n_unique(),
            begun_ms=pl.col("at_ms").first(),
            day=pl.col("day").first(),
        )
        .join(kinds, left_on="w", right_on="t")
        .filter((pl.col("kind") == TitleKind.SERIES.name) & (pl.col("episodes") >= LEAST_EPISODES))
        .sort("p", "watched_ms", "begun_ms", "run", descending=[False, True, False, False])
        .group_by("p", maintain_order=True)
        .first()
    )
    return facts(
        found,
        {
            "binge.title": pl.col("title_id"),
            "binge.minutes": pl.col("watched_ms") // MINUTE_MS,
            "binge.episodes": pl.col("episodes"),
            "binge.date": date_text("day"),
        },
    )


def edges(watched: Watched) -> pl.DataFrame:
    """The first and the last play, told with their title where the catalogue knows it."""
    plays = watched.events.filter(pl.col("kind") == EventKind.PLAY.name)
    names = watched.names.select(
        "t", known_id=pl.when(pl.col("kind").is_not_null()).then("title_id")
    )
    found = []
    for name, chosen in (("first", pl.all().first()), ("last", pl.all().last())):
        one = (
            plays.group_by("p", maintain_order=True)
            .agg(chosen)
            .join(names, left_on="w", right_on="t", how="left")
        )
        values = {f"edges.{name}": pl.col("known_id"), f"edges.{name}.date": date_text("day")}
        found.append(facts(one, values))
    return pl.concat(found)


def days(watched: Watched) -> pl.DataFrame:
    """For each reason the day that it makes remarkable, if there is one."""
    seen = watched.days.filter(pl.col("watched_ms") > 0)
    # A row a whole first: counting distinct ones in a group costs five times as much.
    by_whole = seen.group_by("p", "day", "w").agg(pl.col("watched_ms").sum(), episodes=pl.len())
    by_day = by_whole.group_by("p", "day").agg(pl.col("watched_ms").sum(), titles=pl.len())
    return pl.concat(
        [
            _longest(by_day),
            _widest(by_day),
            _devoted(watched, seen),
            _comeback(by_day),
            _streak(by_day),
        ]
    )


def _longest(by_day: pl.DataFrame) -> pl.DataFrame:
    found = _first(by_day.sort("p", "watched_ms", "day", descending=[False, True, False]))
    return facts(
        found,
        {
            "days.longest": date_text("day"),
            "days.longest.minutes": pl.col("watched_ms") // MINUTE_MS,
        },
    )


def _widest(by_day: pl.DataFrame) -> pl.DataFrame:
    wide = by_day.filter(pl.col("titles") >= LEAST_TITLES)
    found = _first(wide.sort("p", "titles", "day", descending=[False, True, False]))
    return facts(found, {"days.widest": date_text("day"), "days.widest.titles": pl.col("titles")})


def _devoted(watched: Watched, seen: pl.DataFrame) -> pl.DataFrame:
    kinds = watched.names.select("t", "title_id", "kind")
    found = (
        seen.filter(pl.col("t") != pl.col("w"))
        .group_by("p", "day", "w")
        .agg(episodes=pl.col("t").n_unique())
        .join(kinds, left_on="w", right_on="t")
        .filter((pl.col("kind") == TitleKind.SERIES.name) & (pl.col("episodes") >= LEAST_EPISODES))
        .sort("p", "episodes", "day", "w", descending=[False, True, False, False])
    )
    return facts(
        _first(found),
        {
            "days.devoted": date_text("day"),
            "days.devoted.series": pl.col("title_id"),
            "days.devoted.episodes": pl.col("episodes"),
        },
    )


def _comeback(by_day: pl.DataFrame) -> pl.DataFrame:
    gaps = by_day.sort("p", "day").with_columns(
        gap=(pl.col("day") - pl.col("day").shift(1)).over("p")
    )
    long = gaps.filter(pl.col("gap") > LEAST_GAP_DAYS)
    found = _first(long.sort("p", "gap", "day", descending=[False, True, False]))
    return facts(
        found,
        {"days.comeback": date_text("day"), "days.comeback.away_days": pl.col("gap") - 1},
    )


def _streak(by_day: pl.DataFrame) -> pl.DataFrame:
    # Days in a row have the same distance to their place in order.
    runs = by_day.sort("p", "day").with_columns(
        run=(pl.col("day") - pl.int_range(0, pl.len()).over("p"))
    )
    found = (
        runs.group_by("p", "run")
        .agg(day=pl.col("day").min(), length=pl.len())
        .filter(pl.col("length") >= LEAST_STREAK_DAYS)
        .sort("p", "length", "day", descending=[False, True, False])
    )
    return facts(
        _first(found),
        {"days.streak": date_text("day"), "days.streak.days": pl.col("length")},
    )


def _first(frame: pl.DataFrame) -> pl.DataFrame:
    """The first row of each p, in the order that they have."""
    return frame.group_by("p", maintain_order=True).first()
