"""Stories of taste over a lifetime: discoveries and throwbacks; and what cohorts are made of."""

import datetime as dt
from typing import Final

import polars as pl

from libs.domain.event import DAY_MS, ThumbDirection
from libs.domain.title import TitleKind
from libs.features.engagement import LIKED_RATING
from services.recap.year.amounts import MINUTE_MS
from services.recap.year.groups import grouped
from services.recap.year.long import EMPTY, date_text, facts, ranked
from services.recap.year.watched import Watched, by_profile

MOST_DISCOVERIES: Final = 5
MOST_THROWBACKS: Final = 5
UNSEEN_MS: Final = 180 * DAY_MS
# What came out so many years before the cutoff is of another time.
VINTAGE_YEARS: Final = 20

AXES: Final = (
    "night",
    "weekend",
    "series",
    "variety",
    "vintage",
    "intensity",
    "breadth",
    "repeat",
)


def discoveries(watched: Watched) -> pl.DataFrame:
    """Genres watched in the period and never before it, of who had watched before it."""
    before = watched.lifetime.filter(
        (pl.col("day") < watched.period.first_number) & (pl.col("watched_ms") > 0)
    )
    if watched.period.is_lifetime or before.is_empty():
        return EMPTY
    names = watched.names.select("t", "title_id")
    known = (
        before.select("p", "w")
        .unique()
        .join(names, left_on="w", right_on="t")
        .join(watched.catalogue.genres, on="title_id")
        .select("p", "genre")
        .unique()
    )
    found = (
        watched.genres.join(before.select("p").unique(), on="p", how="semi")
        .join(known, on=["p", "genre"], how="anti")
        .sort("p", "watched_ms", "genre", descending=[False, True, False])
    )
    counts = found.group_by("p").agg(count=pl.len())
    values = {"": pl.col("genre"), "minutes": pl.col("watched_ms") // MINUTE_MS}
    return pl.concat(
        [
            facts(counts, {"discoveries.count": pl.col("count")}),
            ranked(found, "discoveries", values, most=MOST_DISCOVERIES),
        ]
    )


def throwbacks(watched: Watched) -> pl.DataFrame:
    """Movies and series that were loved and not seen for UNSEEN_MS before the cutoff."""
    names = watched.names.select("t", "title_id", "kind")
    seen = watched.lifetime.filter(
        (pl.col("watched_ms") > 0) & pl.col("last_watched_ms").is_not_null()
    )
    p, w = seen["p"].to_numpy(), seen["w"].to_numpy()
    in_whole = grouped(p, w)
    of_whole = pl.DataFrame(
        {
            "p": in_whole.of(p),
            "w": in_whole.of(w),
            "watched_ms": in_whole.sums(seen["watched_ms"].to_numpy()),
            "last_watched_ms": in_whole.greatest(seen["last_watched_ms"].to_numpy()),
        }
    ).filter(watched.cutoff_ms - pl.col("last_watched_ms") >= UNSEEN_MS)
    twice = (
        watched.lifetime.filter(pl.col("completes") > 0)
        .group_by("p", "t")
        .agg(pl.col("w").first(), pl.col("completes").sum())
        .filter(pl.col("completes") >= 2)
        .select("p", "w")
        .unique()
        .with_columns(is_twice=pl.lit(value=True))
    )
    found = (
        of_whole.join(names, left_on="w", right_on="t")
        .filter(pl.col("kind").is_in([TitleKind.MOVIE.name, TitleKind.SERIES.name]))
        .join(twice, on=["p", "w"], how="left")
        .join(_opinions(watched), on=["p", "w"], how="left")
        .filter(
            (
                pl.col("is_twice").fill_null(value=False)
                | pl.col("is_up").fill_null(value=False)
                | pl.col("is_rated").fill_null(value=False)
            )
            & ~pl.col("is_down").fill_null(value=False)
        )
        .join(seen.select("p", "w", "last_watched_ms", "day"), on=["p", "w", "last_watched_ms"])
        .group_by("p", "w", "watched_ms", "title_id")
        .agg(pl.col("day").max())
        .sort("p", "watched_ms", "w", descending=[False, True, False])
    )
    values = {"": pl.col("title_id"), "date": date_text("day")}
    return ranked(found, "throwbacks", values, most=MOST_THROWBACKS)


def _opinions(watched: Watched) -> pl.DataFrame:
    """p, w, and what the newest thumb and the newest rating of that very title say."""
    opinions = watched.opinions.rename({"t": "w"})
    thumbs = (
        opinions.filter(pl.col("thumb").is_not_null())
        .group_by("p", "w", maintain_order=True)
        .agg(pl.col("thumb").last())
        .select(
            "p",
            "w",
            is_up=pl.col("thumb") == ThumbDirection.UP.name,
            is_down=pl.col("thumb") == ThumbDirection.DOWN.name,
        )
    )
    ratings = (
        opinions.filter(pl.col("rating").is_not_null())
        .group_by("p", "w", maintain_order=True)
        .agg(pl.col("rating").last())
        .select("p", "w", is_rated=pl.col("rating") >= LIKED_RATING)
    )
    return thumbs.join(ratings, on=["p", "w"], how="full", coalesce=True)


def taste(watched: Watched) -> pl.DataFrame:
    """The minutes of every genre; cohorts sum them."""
    found = watched.genres.sort("p", "genre")
    fact_id = pl.concat_str(pl.lit("taste."), "genre")
    return found.select(
        pl.col("p").cast(pl.UInt32),
        fact_id=fact_id,
        number=pl.col("watched_ms") // MINUTE_MS,
        text=pl.lit(None, pl.String()),
    )


def axes(watched: Watched) -> pl.DataFrame:
    """Where the profile stands on each axis of AXES, in whole thousandths or counts."""
    years_ago = dt.datetime.fromtimestamp(watched.cutoff_ms / 1000, dt.UTC).year - VINTAGE_YEARS
    wholes = watched.wholes.join(
        watched.catalogue.titles.select("title_id", "release_date"), on="title_id", how="left"
    )
    is_old = (pl.col("release_date").dt.year() <= years_ago).fill_null(value=False)
    of_wholes = wholes.group_by("p").agg(
        titles=pl.len(),
        series_ms=pl.col("watched_ms").filter(pl.col("kind") == TitleKind.SERIES.name).sum(),
        vintage_ms=pl.col("watched_ms").filter(is_old).sum(),
    )
    repeats = (
        watched.titles.filter(pl.col("completes") > 0)
        .group_by("p")
        .agg(repeats=(pl.col("completes") - 1).sum())
    )
    genres = watched.genres.group_by("p").agg(genres=pl.len())
    found = (
        watched.titles.group_by("p")
        .agg(pl.col("watched_ms", "night_ms", "plays").sum())
        .filter(pl.col("watched_ms") >= MINUTE_MS)
        .join(by_profile(watched.dates), on="p")
        .join(of_wholes, on="p")
        .join(repeats, on="p", how="left")
        .join(genres, on="p", how="left")
        .with_columns(
            pl.col("genres", "repeats").fill_null(0), total=pl.col("watched_ms") // MINUTE_MS
        )
    )

    def thousandths(part_ms: str) -> pl.Expr:
        return 1000 * pl.col(part_ms) // pl.col("watched_ms")

    values = {
        "axes.night": thousandths("night_ms"),
        "axes.weekend": thousandths("weekend_ms"),
        "axes.series": thousandths("series_ms"),
        "axes.variety": pl.col("genres"),
        "axes.vintage": thousandths("vintage_ms"),
        "axes.intensity": pl.col("total") // pl.col("days"),
        "axes.breadth": 60_000 * pl.col("titles") // pl.col("total"),
        "axes.repeat": 1000 * pl.col("repeats") // pl.max_horizontal("plays", 1),
    }
    return facts(found, values)
