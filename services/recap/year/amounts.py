"""Stories of amounts: minutes and titles, and what most of them went to."""

from typing import Final

import polars as pl

from libs.domain.title import TitleKind
from services.recap.year.groups import descending, grouped
from services.recap.year.long import date_text, facts, ranked
from services.recap.year.watched import Watched, by_profile

MOST_TITLES: Final = 5
MOST_GENRES: Final = 5
MOST_PEOPLE: Final = 5
MOST_SERIES: Final = 3
# Once more than once.
_LEAST_TIMES: Final = 2
MINUTE_MS: Final = 60_000

_IS_WATCHED: Final = pl.col("watched_ms") > 0
_MINUTES: Final = pl.col("watched_ms") // MINUTE_MS


def minutes(watched: Watched) -> pl.DataFrame:
    """How long, on how many days, in how many plays."""
    days = by_profile(watched.dates).select("p", "days")
    amounts = (
        watched.titles.group_by("p")
        .agg(pl.col("watched_ms", "plays").sum())
        .filter((pl.col("plays") > 0) | _IS_WATCHED)
        .join(days, on="p", how="left")
        .with_columns(pl.col("days").fill_null(0))
    )
    return facts(
        amounts,
        {
            "minutes.total": _MINUTES,
            "minutes.days": pl.col("days"),
            "minutes.plays": pl.col("plays"),
        },
    )


def titles(watched: Watched) -> pl.DataFrame:
    """How many titles, and those with the most minutes."""
    of_kind = watched.names.filter(pl.col("kind") == TitleKind.EPISODE.name)["t"]
    seen = watched.titles.filter(_IS_WATCHED & pl.col("t").is_in(of_kind.implode()))
    episodes = seen.group_by("p").agg(episodes=pl.len())
    wholes = watched.wholes
    counts = (
        wholes.group_by("p")
        .agg(
            count=pl.len(),
            movies=(pl.col("kind") == TitleKind.MOVIE.name).sum(),
            series=(pl.col("kind") == TitleKind.SERIES.name).sum(),
        )
        .join(episodes, on="p", how="left")
        .with_columns(pl.col("episodes").fill_null(0))
    )
    top = _most_watched(wholes.filter(pl.col("kind").is_not_null()))
    return pl.concat(
        [
            facts(
                counts,
                {
                    "titles.count": pl.col("count"),
                    "titles.movies": pl.col("movies"),
                    "titles.series": pl.col("series"),
                    "titles.episodes": pl.col("episodes"),
                },
            ),
            ranked(top, "titles", {"": pl.col("title_id"), "minutes": _MINUTES}, most=MOST_TITLES),
        ]
    )


def genres(watched: Watched) -> pl.DataFrame:
    """The genres with the most minutes; all of a title's time is of each of its genres."""
    found = watched.genres.sort("p", "watched_ms", "genre", descending=[False, True, False])
    counts = found.group_by("p").agg(count=pl.len())
    return pl.concat(
        [
            facts(counts, {"genres.count": pl.col("count")}),
            ranked(found, "genres", {"": pl.col("genre"), "minutes": _MINUTES}, most=MOST_GENRES),
        ]
    )


def people(watched: Watched) -> pl.DataFrame:
    """The people with the most minutes; all of a title's time is of each of them."""
    # Numbered in the order of their names: numbers are cheaper to group by.
    people = watched.catalogue.people.with_columns(number=pl.col("person").rank("dense"))
    named = people.select("number", "person").unique()
    cast = watched.wholes.join(people.select("title_id", "number"), on="title_id")
    p, number = cast["p"].to_numpy(), cast["number"].to_numpy()
    in_person = grouped(p, number)
    found = _most_watched(
        pl.DataFrame(
            {
                "p": in_person.of(p),
                "number": in_person.of(number),
                "watched_ms": in_person.sums(cast["watched_ms"].to_numpy()),
                "titles": in_person.counts(),
            }
        ),
        most=MOST_PEOPLE,
    ).join(named, on="number", maintain_order="left")
    values = {"": pl.col("person"), "minutes": _MINUTES, "titles": pl.col("titles")}
    return ranked(found, "people", values, most=MOST_PEOPLE)


def series(watched: Watched) -> pl.DataFrame:
    """The series with the most minutes."""
    parts = watched.titles.filter(_IS_WATCHED & (pl.col("t") != pl.col("w")))
    episodes = parts.group_by("p", "w").agg(episodes=pl.len())
    found = _most_watched(
        watched.wholes.filter(pl.col("kind") == TitleKind.SERIES.name), most=MOST_SERIES
    ).join(episodes, on=["p", "w"], how="left", maintain_order="left")
    values = {
        "": pl.col("title_id"),
        "minutes": _MINUTES,
        "episodes": pl.col("episodes").fill_null(0),
    }
    return ranked(found, "series", values, most=MOST_SERIES)


def rewatch(watched: Watched) -> pl.DataFrame:
    """What was completed most often, from twice on; an episode stands for itself."""
    found = (
        watched.titles.filter(pl.col("completes") >= _LEAST_TIMES)
        .join(watched.names.select("t", "title_id", "kind"), on="t")
        .filter(pl.col("kind").is_not_null())
        .sort("p", "completes", "watched_ms", "t", descending=[False, True, True, False])
        .group_by("p", maintain_order=True)
        .first()
    )
    return facts(found, {"rewatch.title": pl.col("title_id"), "rewatch.times": pl.col("completes")})


def _most_watched(frame: pl.DataFrame, *, most: int | None = None) -> pl.DataFrame:
    """Of each p from the most watched on, `most` of them; equal ones in the order that they have.

    `frame` is ordered by p.
    """
    ordered = frame[descending(frame["p"].to_numpy(), frame["watched_ms"].to_numpy())]
    return ordered if most is None else ordered.group_by("p", maintain_order=True).head(most)


def night(watched: Watched) -> pl.DataFrame:
    """The share of the night."""
    found = (
        watched.titles.group_by("p").agg(pl.col("watched_ms", "night_ms").sum()).filter(_IS_WATCHED)
    )
    return facts(
        found,
        {
            "night.percent": 100 * pl.col("night_ms") // pl.col("watched_ms"),
            "night.minutes": pl.col("night_ms") // MINUTE_MS,
        },
    )


def release(watched: Watched) -> pl.DataFrame:
    """The title that came out first, and the one that came out last."""
    dated = (
        watched.wholes.join(
            watched.catalogue.titles.select("title_id", "release_date"), on="title_id"
        )
        .filter(pl.col("release_date").is_not_null())
        .with_columns(released=pl.col("release_date").cast(pl.Int32))
    )
    found = []
    for name, is_newest in (("oldest", False), ("newest", True)):
        first = (
            dated.sort("p", "released", "w", descending=[False, is_newest, False])
            .group_by("p", maintain_order=True)
            .first()
        )
        values = {
            f"release.{name}": pl.col("title_id"),
            f"release.{name}.date": date_text("released"),
        }
        found.append(facts(first, values))
    return pl.concat(found)
