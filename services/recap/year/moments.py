"""Stories of moments: the longest binge, the first and the last play, and remarkable days."""

from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import EventKind
from libs.domain.title import TitleKind
from services.recap.year.amounts import MINUTE_MS
from services.recap.year.groups import best, grouped, runs
from services.recap.year.long import EMPTY, date_text, facts
from services.recap.year.watched import Watched, by_day

# A longer pause ends a binge.
BINGE_GAP_MS: Final = 30 * 60_000
LEAST_EPISODES: Final = 3
LEAST_TITLES: Final = 3
LEAST_GAP_DAYS: Final = 14
LEAST_STREAK_DAYS: Final = 3


def binge(watched: Watched) -> pl.DataFrame:
    """The longest run of episodes of one series."""
    seen = watched.events.filter(pl.col("watched_ms") > 0)
    p, t, w, at_ms, watched_ms = (
        seen[name].to_numpy() for name in ("p", "t", "w", "at_ms", "watched_ms")
    )
    is_pause = np.zeros(len(seen), np.int64)
    is_pause[1:] = at_ms[1:] - watched_ms[1:] - at_ms[:-1] > BINGE_GAP_MS
    in_run = runs(p, w, np.cumsum(is_pause))
    is_series = (watched.names["kind"] == TitleKind.SERIES.name).fill_null(value=False).to_numpy()
    # So many events are needed for so many episodes: few runs are left to be looked into.
    chosen = np.flatnonzero((in_run.counts() >= LEAST_EPISODES) & is_series[in_run.of(w)])
    found = pl.DataFrame(
        {
            "run": chosen,
            "p": in_run.of(p)[chosen],
            "w": in_run.of(w)[chosen],
            "watched_ms": in_run.sums(watched_ms)[chosen],
            "day": in_run.of(seen["day"].to_numpy())[chosen],
        }
    )
    run = np.repeat(np.arange(len(in_run.counts())), in_run.counts())
    is_part = np.isin(run, chosen) & (t != w)
    parts = grouped(run[is_part], t[is_part])
    episodes = pl.DataFrame({"run": parts.of(run[is_part])}).group_by("run").agg(episodes=pl.len())
    found = found.join(episodes, on="run", maintain_order="left").filter(
        pl.col("episodes") >= LEAST_EPISODES
    )
    found = _best(found, "watched_ms").with_columns(
        title_id=watched.names["title_id"].gather(_best(found, "watched_ms")["w"])
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
    wholes = watched.dates
    if wholes.is_empty():
        return EMPTY
    dates = by_day(wholes)
    return pl.concat(
        [
            _longest(dates),
            _widest(dates),
            _devoted(watched, wholes),
            _comeback(dates),
            _streak(dates),
        ]
    )


# Frames are ordered by p and day here, so that of equal days the first is told.
def _longest(dates: pl.DataFrame) -> pl.DataFrame:
    return facts(
        _best(dates, "watched_ms"),
        {
            "days.longest": date_text("day"),
            "days.longest.minutes": pl.col("watched_ms") // MINUTE_MS,
        },
    )


def _widest(dates: pl.DataFrame) -> pl.DataFrame:
    found = _best(dates.filter(pl.col("titles") >= LEAST_TITLES), "titles")
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


def _comeback(dates: pl.DataFrame) -> pl.DataFrame:
    is_same = pl.col("p") == pl.col("p").shift(1)
    gaps = dates.with_columns(gap=pl.when(is_same).then(pl.col("day") - pl.col("day").shift(1)))
    found = _best(gaps.filter(pl.col("gap") > LEAST_GAP_DAYS), "gap")
    return facts(
        found,
        {"days.comeback": date_text("day"), "days.comeback.away_days": pl.col("gap") - 1},
    )


def _streak(dates: pl.DataFrame) -> pl.DataFrame:
    p, day = dates["p"].to_numpy(), dates["day"].to_numpy()
    # Days in a row have the same distance to their place in order.
    in_run = runs(p, day - np.arange(len(day)))
    lengths = in_run.counts()
    places = np.cumsum(lengths) - lengths
    streaks = pl.DataFrame({"p": in_run.of(p), "day": day[places], "length": lengths})
    found = _best(streaks.filter(pl.col("length") >= LEAST_STREAK_DAYS), "length")
    return facts(
        found,
        {"days.streak": date_text("day"), "days.streak.days": pl.col("length")},
    )


def _best(frame: pl.DataFrame, value: str) -> pl.DataFrame:
    """Of each p the row of the greatest value, and of equal ones the first."""
    return frame[best(frame["p"].to_numpy(), frame[value].to_numpy())]
