"""What was watched: the two tables that every story is counted from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import DAY_MS, EventKind
from services.recap.year.catalogue import Catalogue
from services.recap.year.history import OPINION_KINDS, WATCHING_KINDS
from services.recap.year.local_time import HOUR_MS, local_ms
from services.recap.year.period import Period

# From 22:00 until before 05:00 on the wall.
_NIGHT_FROM: Final = 22
_NIGHT_UNTIL: Final = 5
_THURSDAY_BEFORE_WEEKEND: Final = 3  # 1970-01-01 was a Thursday: days 2 and 3 a weekend


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Of one or many profiles, up to the cutoff; `p` numbers profiles, `t` and `w` titles.

    `t` is the title itself, `w` the whole that it is part of; both are rows of `names`.
    """

    period: Period
    cutoff_ms: int
    catalogue: Catalogue
    profiles: pl.Series  # profile_id by p
    names: pl.DataFrame  # t, title_id, kind (null: not in the catalogue), w
    events: pl.DataFrame  # p, t, w, kind, at_ms, watched_ms, day; in order, of the period
    lifetime: pl.DataFrame  # p, t, day, w, watched_ms, night_ms, plays, completes, last_ms
    days: pl.DataFrame  # lifetime's rows of the period
    opinions: pl.DataFrame  # p, t, kind, thumb, rating; in order, of all time


def watched(history: pl.DataFrame, catalogue: Catalogue, period: Period, cutoff_ms: int) -> Watched:
    """The tables of `history`, which is in the order of profiles and their events."""
    history = history.filter(
        (pl.col("occurred_ms") <= cutoff_ms) & (pl.col("recorded_ms") <= cutoff_ms)
    )
    numbers = history["profile_id"].rle_id()
    profiles = history["profile_id"].filter(numbers.diff().fill_null(1) != 0)
    names = _names(history["title_id"].unique().sort(), catalogue)
    history = history.with_columns(p=numbers).join(
        names.select("title_id", "t", "w"), on="title_id", how="left", maintain_order="left"
    )
    seen = history.filter(pl.col("kind").is_in(WATCHING_KINDS))
    local = _local_ms(seen)
    events = seen.select(
        "p",
        "t",
        "w",
        "kind",
        at_ms="occurred_ms",
        watched_ms=pl.col("to_ms") - pl.col("from_ms"),
        day=(local // DAY_MS).cast(pl.Int32),
        hour=(local // HOUR_MS % 24).cast(pl.Int8),
    )
    lifetime = _by_day(events)
    in_period = pl.col("day").is_between(period.first_number, period.last_number)
    return Watched(
        period=period,
        cutoff_ms=cutoff_ms,
        catalogue=catalogue,
        profiles=profiles,
        names=names,
        events=events.filter(in_period),
        lifetime=lifetime,
        days=lifetime.filter(in_period),
        opinions=history.filter(pl.col("kind").is_in(OPINION_KINDS)).select(
            "p", "t", "kind", "thumb", rating=pl.col("rating_value") / pl.col("rating_scale")
        ),
    )


def is_night() -> pl.Expr:
    """Whether `hour` is of the night."""
    return (pl.col("hour") >= _NIGHT_FROM) | (pl.col("hour") < _NIGHT_UNTIL)


def is_weekend() -> pl.Expr:
    """Whether `day` is a Saturday or a Sunday."""
    return (pl.col("day") + _THURSDAY_BEFORE_WEEKEND) % 7 >= 5


def _names(title_ids: pl.Series, catalogue: Catalogue) -> pl.DataFrame:
    """Every title that was met, and every whole, numbered in the order of their ids."""
    whole = catalogue.whole()
    met = title_ids.to_frame("title_id").join(whole, on="title_id", how="left")
    met = met.with_columns(pl.col("whole_id").fill_null(pl.col("title_id")))
    ids = pl.concat([met["title_id"], met["whole_id"]]).unique().sort().to_frame("title_id")
    numbered = ids.with_row_index("t").join(whole, on="title_id", how="left", maintain_order="left")
    numbered = numbered.with_columns(pl.col("whole_id").fill_null(pl.col("title_id")))
    wholes = numbered.select(whole_id="title_id", w="t")
    return numbered.join(wholes, on="whole_id", how="left", maintain_order="left").select(
        "t", "title_id", "kind", pl.col("w").fill_null(pl.col("t"))
    )


def _local_ms(events: pl.DataFrame) -> pl.Series:
    at_ms = events["occurred_ms"].to_numpy()
    zones = events["time_zone"]
    found = np.empty(len(at_ms), np.int64)
    for zone in zones.unique().to_list():
        is_there = (zones == zone).to_numpy()
        found[is_there] = local_ms(at_ms[is_there], zone)
    return pl.Series("local_ms", found)


def _by_day(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.lazy()
        .group_by("p", "t", "day")
        .agg(
            pl.col("w").first(),
            pl.col("watched_ms").sum(),
            night_ms=pl.when(is_night()).then("watched_ms").otherwise(0).sum(),
            plays=(pl.col("kind") == EventKind.PLAY.name).sum().cast(pl.Int64),
            completes=(pl.col("kind") == EventKind.COMPLETE.name).sum().cast(pl.Int64),
            last_ms=pl.col("at_ms").max(),
            last_watched_ms=pl.when(pl.col("watched_ms") > 0).then("at_ms").max(),
        )
        .collect()
    )
