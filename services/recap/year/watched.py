"""What was watched: the two tables that every story is counted from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from libs.domain.event import DAY_MS, EventKind
from services.recap.year.catalogue import Catalogue
from services.recap.year.groups import Groups
from services.recap.year.history import (
    NIGHT_FROM,
    NIGHT_UNTIL,
    NO_DAYS,
    OPINION_KINDS,
    WATCHING_KINDS,
)
from services.recap.year.local_time import HOUR_MS, local_ms
from services.recap.year.period import Period

_NEVER: Final = -(2**62)
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
    lifetime: pl.DataFrame  # p, t, day, w, watched_ms, night_ms, plays, completes, last_watched_ms
    days: pl.DataFrame  # lifetime's rows of the period
    wholes: pl.DataFrame  # p, w, watched_ms > 0, and of the whole title_id and kind; of the period
    genres: pl.DataFrame  # p, genre, watched_ms > 0; of the period
    opinions: pl.DataFrame  # p, t, kind, thumb, rating; in order, of all time


def watched(
    history: pl.DataFrame,
    catalogue: Catalogue,
    period: Period,
    cutoff_ms: int,
    compacted: pl.DataFrame = NO_DAYS,
) -> Watched:
    """The tables of `history`, which is in the order of profiles and their events.

    `compacted` is what is left of older events; what it cannot carry, the order of a day, is not
    told of profiles that have any in the period.
    """
    history = history.filter(
        (pl.col("occurred_ms") <= cutoff_ms) & (pl.col("recorded_ms") <= cutoff_ms)
    )
    profiles = (
        pl.concat([history["profile_id"].unique(), compacted["profile_id"].unique()])
        .unique()
        .sort()
    )
    title_ids = pl.concat([history["title_id"].unique(), compacted["title_id"].unique()])
    names = _names(title_ids.unique(), catalogue)
    numbers = profiles.to_frame("profile_id").with_row_index("p")
    history = _numbered(history, numbers, names)
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
    in_period = pl.col("day").is_between(period.first_number, period.last_number)
    lifetime = _by_day(events)
    told = events.filter(in_period)
    if compacted.height:
        older = _compacted_days(_numbered(compacted, numbers, names))
        lifetime = _merged(pl.concat([lifetime, older.select(lifetime.columns)]))
        told = told.join(older.filter(in_period), on="p", how="anti")
    days = lifetime.filter(in_period)
    wholes = by_whole(days, names)
    return Watched(
        period=period,
        cutoff_ms=cutoff_ms,
        catalogue=catalogue,
        profiles=profiles,
        names=names,
        events=told,
        lifetime=lifetime,
        days=days,
        wholes=wholes,
        genres=by_genre(wholes, catalogue),
        opinions=history.filter(pl.col("kind").is_in(OPINION_KINDS)).select(
            "p", "t", "kind", "thumb", rating=pl.col("rating_value") / pl.col("rating_scale")
        ),
    )


def _numbered(frame: pl.DataFrame, numbers: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    return frame.join(numbers, on="profile_id", how="left", maintain_order="left").join(
        names.select("title_id", "t", "w"), on="title_id", how="left", maintain_order="left"
    )


def _compacted_days(days: pl.DataFrame) -> pl.DataFrame:
    """As `_by_day`, of days that came as such."""
    return days.select(
        "p",
        "t",
        pl.col("day").cast(pl.Int32),
        "w",
        "watched_ms",
        "night_ms",
        plays="play_count",
        completes="complete_count",
        last_watched_ms=pl.when(pl.col("watched_ms") > 0).then("last_ms"),
    )


def _merged(days: pl.DataFrame) -> pl.DataFrame:
    """Of a day of which a part was compacted, one row."""
    return days.group_by("p", "t", "day").agg(
        pl.col("w").first(),
        pl.col("watched_ms", "night_ms", "plays", "completes").sum(),
        pl.col("last_watched_ms").max(),
    )


def is_night() -> pl.Expr:
    """Whether `hour` is of the night."""
    return (pl.col("hour") >= NIGHT_FROM) | (pl.col("hour") < NIGHT_UNTIL)


def is_weekend() -> pl.Expr:
    """Whether `day` is a Saturday or a Sunday."""
    return (pl.col("day") + _THURSDAY_BEFORE_WEEKEND) % 7 >= 5


def by_whole(days: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Of rows (p, w, watched_ms): p, w, watched_ms > 0, and of the whole title_id and kind.

    Ordered by p and w.
    """
    p, w = days["p"].to_numpy(), days["w"].to_numpy()
    in_whole = Groups(p, w)
    wholes = pl.DataFrame(
        {
            "p": in_whole.of(p),
            "w": in_whole.of(w),
            "watched_ms": in_whole.sums(days["watched_ms"].to_numpy()),
        }
    )
    return wholes.filter(pl.col("watched_ms") > 0).join(
        names.select("title_id", "kind", w="t"), on="w", maintain_order="left"
    )


def by_genre(wholes: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The minutes of every genre: p, genre, watched_ms."""
    return (
        wholes.join(catalogue.genres, on="title_id")
        .group_by("p", "genre")
        .agg(pl.col("watched_ms").sum())
    )


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
    """Ordered by p, t and day."""
    columns = events.select(
        "p",
        "t",
        "day",
        "w",
        "watched_ms",
        night_ms=pl.when(is_night()).then("watched_ms").otherwise(0),
        plays=(pl.col("kind") == EventKind.PLAY.name).cast(pl.Int64),
        completes=(pl.col("kind") == EventKind.COMPLETE.name).cast(pl.Int64),
        last_watched_ms=pl.when(pl.col("watched_ms") > 0).then("at_ms").otherwise(_NEVER),
    )
    p, t, day = (columns[name].to_numpy() for name in ("p", "t", "day"))
    in_day = Groups(p, t, day)
    summed = ("watched_ms", "night_ms", "plays", "completes")
    last_ms = in_day.greatest(columns["last_watched_ms"].to_numpy())
    return pl.DataFrame(
        {
            "p": in_day.of(p),
            "t": in_day.of(t),
            "day": in_day.of(day),
            "w": in_day.of(columns["w"].to_numpy()),
            **{name: in_day.sums(columns[name].to_numpy()) for name in summed},
            "last_watched_ms": last_ms,
        }
    ).with_columns(
        last_watched_ms=pl.when(pl.col("last_watched_ms") != _NEVER).then("last_watched_ms")
    )
