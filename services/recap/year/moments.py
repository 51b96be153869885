"""Stories of moments: the longest binge, the first and the last play, and remarkable days."""

from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import EventKind
from libs.domain.title import TitleKind
from services.recap.year.amounts import MINUTE_MS
from services.recap.year.groups import Groups, best
from services.recap.year.long import EMPTY, date_text, facts
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
    if seen.is_empty():
        return EMPTY
    p, day, w = (seen[name].to_numpy() for name in ("p", "day", "w"))
    ms = seen["watched_ms"].to_numpy()
    in_whole = Groups(p, day, w)
    is_part = (seen["t"].to_numpy() != w).astype(np.int64)
    wholes = pl.DataFrame(
        {
            "p": in_whole.of(p),
            "day": in_whole.of(day),
            "w": in_whole.of(w),
            "watched_ms": in_whole.sums(ms),
            "episodes": in_whole.sums(is_part),
        }
    )
    p, day = wholes["p"].to_numpy(), wholes["day"].to_numpy()
    in_day = Groups(p, day)
    by_day = pl.DataFrame(
        {
            "p": in_day.of(p),
            "day": in_day.of(day),
            "watched_ms": in_day.sums(wholes["watched_ms"].to_numpy()),
            "titles": in_day.counts(),
        }
    )
    return pl.concat(
        [
            _longest(by_day),
            _widest(by_day),
            _devoted(watched, wholes),
            _comeback(by_day),
            _streak(by_day),
        ]
    )


# Frames are ordered by p and day here, so that of equal days the first is told.
def _longest(by_day: pl.DataFrame) -> pl.DataFrame:
    return facts(
        _best(by_day, "watched_ms"),
        {
            "days.longest": date_text("day"),
            "days.longest.minutes": pl.col("watched_ms") // MINUTE_MS,
        },
    )


def _widest(by_day: pl.DataFrame) -> pl.DataFrame:
    found = _best(by_day.filter(pl.col("titles") >= LEAST_TITLES), "titles")
    return facts(found, {"days.widest": date_text("day"), "days.widest.titles": pl.col("titles")})


def _devoted(watched: Watched, wholes: pl.DataFrame) -> pl.DataFrame:
    kinds = watched.names.select("title_id", "kind", w="t")
    found = (
        wholes.filter(pl.col("episodes") >= LEAST_EPISODES)
        .join(kinds, on="w", maintain_order="left")
        .filter(pl.col("kind") == TitleKind.SERIES.name)
    )
    return facts(
        _best(found, "episodes"),
        {
            "days.devoted": date_text("day"),
            "days.devoted.series": pl.col("title_id"),
            "days.devoted.episodes": pl.col("episodes"),
        },
    )


def _comeback(by_day: pl.DataFrame) -> pl.DataFrame:
    is_same = pl.col("p") == pl.col("p").shift(1)
    gaps = by_day.with_columns(gap=pl.when(is_same).then(pl.col("day") - pl.col("day").shift(1)))
    found = _best(gaps.filter(pl.col("gap") > LEAST_GAP_DAYS), "gap")
    return facts(
        found,
        {"days.comeback": date_text("day"), "days.comeback.away_days": pl.col("gap") - 1},
    )


def _streak(by_day: pl.DataFrame) -> pl.DataFrame:
    p, day = by_day["p"].to_numpy(), by_day["day"].to_numpy()
    # Days in a row have the same distance to their place in order.
    in_run = Groups(p, day - np.arange(len(day)))
    lengths = in_run.counts()
    places = np.cumsum(lengths) - lengths
    runs = pl.DataFrame({"p": in_run.of(p), "day": day[places], "length": lengths})
    found = _best(runs.filter(pl.col("length") >= LEAST_STREAK_DAYS), "length")
    return facts(
        found,
        {"days.streak": date_text("day"), "days.streak.days": pl.col("length")},
    )


def _best(frame: pl.DataFrame, value: str) -> pl.DataFrame:
    """Of each p the row of the greatest value, and of equal ones the first."""
    return frame[best(frame["p"].to_numpy(), frame[value].to_numpy())]
