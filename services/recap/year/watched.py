"""What was watched: the two tables that every story is counted from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from libs.domain.event import EventKind
from services.recap.year.catalogue import Catalogue
from services.recap.year.groups import grouped, runs
from services.recap.year.history import (
    IS_OPINION,
    IS_WATCHING,
    NIGHT_FROM,
    NIGHT_UNTIL,
    NO_DAYS,
    kind_numbers,
)
from services.recap.year.local_time import HOUR_MS, wall_ms
from services.recap.year.numbering import Ints, ordered, placed, placed_in_runs
from services.recap.year.period import Period

_NEVER: Final = -(2**62)
_PLAY, _COMPLETE = (list(EventKind).index(one) for one in (EventKind.PLAY, EventKind.COMPLETE))
# 1970-01-01 was a Thursday: days 2 and 3 a weekend.
_IS_WEEKEND: Final = (pl.col("day") + 3) % 7 >= 5


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
    titles: pl.DataFrame  # p, t, w, watched_ms, night_ms, plays, completes; of the period
    dates: pl.DataFrame  # p, day, w, watched_ms > 0, episodes; of the period
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
    history = until(history, cutoff_ms)
    profiles, p = placed_in_runs(history["profile_id"])
    title_ids = pl.concat([history["title_id"].unique(), compacted["title_id"].unique()])
    names = _names(title_ids.unique(), catalogue)
    if compacted.height:
        known = profiles
        profiles = ordered(pl.concat([profiles, compacted["profile_id"].unique()]))
        p = placed(known, profiles)[p]
    t = placed(history["title_id"], names["title_id"])
    wholes = names["w"].to_numpy().astype(np.int64)
    kind = kind_numbers(history)
    events = _events(history, p, t, wholes[t], IS_WATCHING[kind])
    lifetime = _by_day(events)
    in_period = pl.col("day").is_between(period.first_number, period.last_number)
    told = events.filter(in_period)
    if compacted.height:
        older = _compacted_days(compacted, profiles, names)
        lifetime = _merged(pl.concat([lifetime, older.select(lifetime.columns)]))
        told = told.join(older.filter(in_period), on="p", how="anti")
    days = lifetime.filter(in_period)
    titles = by_title(days)
    of_wholes = by_whole(titles, names)
    is_opinion = IS_OPINION[kind]
    return Watched(
        period=period,
        cutoff_ms=cutoff_ms,
        catalogue=catalogue,
        profiles=profiles.alias("profile_id"),
        names=names,
        events=told,
        lifetime=lifetime,
        days=days,
        titles=titles,
        dates=by_date(days),
        wholes=of_wholes,
        genres=by_genre(of_wholes, catalogue),
        opinions=history[np.flatnonzero(is_opinion)].select(
            "kind",
            "thumb",
            p=pl.Series(p[is_opinion].astype(np.uint32)),
            t=pl.Series(t[is_opinion].astype(np.uint32)),
            rating=pl.col("rating_value") / pl.col("rating_scale"),
        ),
    )


def until(history: pl.DataFrame, cutoff_ms: int) -> pl.DataFrame:
    """What had occurred and was recorded by then."""
    columns = ("occurred_ms", "recorded_ms")
    if all(np.all(history[name].to_numpy() <= cutoff_ms) for name in columns):
        return history  # as it is, and no copy
    return history.filter(pl.all_horizontal(pl.col(columns) <= cutoff_ms))


def _events(
    history: pl.DataFrame, p: Ints, t: Ints, w: Ints, is_watching: NDArray[np.bool_]
) -> pl.DataFrame:
    """Of those that watch: p, t, w, kind, at_ms, watched_ms, day and hour."""
    if not is_watching.all():
        history, p, t, w = (
            history.filter(pl.Series(is_watching)),
            *(column[is_watching] for column in (p, t, w)),
        )
    hours = wall_ms(history) // HOUR_MS
    return pl.DataFrame(
        {
            "p": p.astype(np.uint32),
            "t": t.astype(np.uint32),
            "w": w.astype(np.uint32),
            "kind": history["kind"],
            "at_ms": history["occurred_ms"],
            "watched_ms": history["to_ms"] - history["from_ms"],
            "day": (hours // 24).astype(np.int32),
            "hour": (hours % 24).astype(np.int8),
        }
    )


def _compacted_days(days: pl.DataFrame, profiles: pl.Series, names: pl.DataFrame) -> pl.DataFrame:
    """As `_by_day`, of days that came as such."""
    t = placed(days["title_id"], names["title_id"])
    return days.select(
        p=pl.Series(placed(days["profile_id"], profiles).astype(np.uint32)),
        t=pl.Series(t.astype(np.uint32)),
        day=pl.col("day").cast(pl.Int32),
        w=names["w"].gather(t),
        watched_ms="watched_ms",
        night_ms="night_ms",
        plays="play_count",
        completes="complete_count",
        last_watched_ms=pl.when(pl.col("watched_ms") > 0).then("last_ms"),
    )


def _merged(days: pl.DataFrame) -> pl.DataFrame:
    """Of a day of which a part was compacted, one row; ordered by p, t and day."""
    return (
        days.group_by("p", "t", "day")
        .agg(
            pl.col("w").first(),
            pl.col("watched_ms", "night_ms", "plays", "completes").sum(),
            pl.col("last_watched_ms").max(),
        )
        .sort("p", "t", "day")
    )


def by_title(days: pl.DataFrame) -> pl.DataFrame:
    """Of lifetime's rows: p, t, w, and the sums of each title; ordered by p and t."""
    p, t = days["p"].to_numpy(), days["t"].to_numpy()
    in_title = runs(p, t)
    summed = ("watched_ms", "night_ms", "plays", "completes")
    return pl.DataFrame(
        {
            "p": in_title.of(p),
            "t": in_title.of(t),
            "w": in_title.of(days["w"].to_numpy()),
            **{name: in_title.sums(days[name].to_numpy()) for name in summed},
        }
    )


def by_date(days: pl.DataFrame) -> pl.DataFrame:
    """Of lifetime's rows: p, day, w, watched_ms > 0 and how many episodes; in that order."""
    seen = days.filter(pl.col("watched_ms") > 0)
    p, day, w = (seen[name].to_numpy() for name in ("p", "day", "w"))
    in_whole = grouped(p, day, w)
    return pl.DataFrame(
        {
            "p": in_whole.of(p),
            "day": in_whole.of(day),
            "w": in_whole.of(w),
            "watched_ms": in_whole.sums(seen["watched_ms"].to_numpy()),
            "episodes": in_whole.sums((seen["t"].to_numpy() != w).astype(np.int64)),
        }
    )


def by_day(dates: pl.DataFrame) -> pl.DataFrame:
    """Of by_date's rows: p, day, watched_ms and how many titles; in that order."""
    p, day = dates["p"].to_numpy(), dates["day"].to_numpy()
    in_day = runs(p, day)
    return pl.DataFrame(
        {
            "p": in_day.of(p),
            "day": in_day.of(day),
            "watched_ms": in_day.sums(dates["watched_ms"].to_numpy()),
            "titles": in_day.counts(),
        }
    )


def by_profile(dates: pl.DataFrame) -> pl.DataFrame:
    """Of by_date's rows: p, days and weekend_ms."""
    return (
        by_day(dates)
        .group_by("p")
        .agg(days=pl.len(), weekend_ms=pl.col("watched_ms").filter(_IS_WEEKEND).sum())
    )


def by_whole(titles: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Of by_title's rows: p, w, watched_ms > 0, and of the whole title_id and kind.

    Ordered by p and w.
    """
    p, w = titles["p"].to_numpy(), titles["w"].to_numpy()
    in_whole = grouped(p, w)
    wholes = pl.DataFrame(
        {
            "p": in_whole.of(p),
            "w": in_whole.of(w),
            "watched_ms": in_whole.sums(titles["watched_ms"].to_numpy()),
        }
    ).filter(pl.col("watched_ms") > 0)
    return wholes.with_columns(names["title_id", "kind"][wholes["w"]])


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
    ids = ordered(pl.concat([met["title_id"], met["whole_id"]])).to_frame("title_id")
    numbered = ids.with_row_index("t").join(whole, on="title_id", how="left", maintain_order="left")
    numbered = numbered.with_columns(pl.col("whole_id").fill_null(pl.col("title_id")))
    wholes = numbered.select(whole_id="title_id", w="t")
    return numbered.join(wholes, on="whole_id", how="left", maintain_order="left").select(
        "t", "title_id", "kind", pl.col("w").fill_null(pl.col("t"))
    )


def _by_day(events: pl.DataFrame) -> pl.DataFrame:
    """Ordered by p, t and day."""
    p, t, day, watched_ms, hour = (
        events[name].to_numpy() for name in ("p", "t", "day", "watched_ms", "hour")
    )
    kind = kind_numbers(events)
    in_day = grouped(p, t, day)
    is_night = (hour >= NIGHT_FROM) | (hour < NIGHT_UNTIL)
    last_ms = in_day.greatest(np.where(watched_ms > 0, events["at_ms"].to_numpy(), _NEVER))
    return pl.DataFrame(
        {
            "p": in_day.of(p),
            "t": in_day.of(t),
            "day": in_day.of(day),
            "w": in_day.of(events["w"].to_numpy()),
            "watched_ms": in_day.sums(watched_ms),
            "night_ms": in_day.sums(watched_ms * is_night),
            "plays": in_day.sums(kind == _PLAY),
            "completes": in_day.sums(kind == _COMPLETE),
            "last_watched_ms": last_ms,
        }
    ).with_columns(
        last_watched_ms=pl.when(pl.col("last_watched_ms") != _NEVER).then("last_watched_ms")
    )
