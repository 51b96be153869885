"""Cohorts: what a profile is compared with, frozen with the run that made them."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from services.recap.year.tastes import AXES

# Fewer people say nothing, and might be told apart.
LEAST_SIZE: Final = 50
PERCENTILES: Final = 99
PARTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CountryCohort:
    """The FULL profiles of a country.

    `least_minutes[i]` is what at least (i + 1) percent of them did not watch more minutes than;
    `genre_parts` is the share of each genre in all their minutes, in millionths.
    """

    size: int
    least_minutes: tuple[int, ...]  # (PERCENTILES,)
    genre_parts: Mapping[str, int]

    def __post_init__(self) -> None:
        _check_numbers("country", (self.size, *self.least_minutes, *self.genre_parts.values()))
        if self.size < LEAST_SIZE:
            raise ValueError(f"a country's cohort has at least {LEAST_SIZE}")
        if len(self.least_minutes) != PERCENTILES or list(self.least_minutes) != sorted(
            self.least_minutes
        ):
            raise ValueError(f"least_minutes must be {PERCENTILES}, ascending")


@dataclass(frozen=True, slots=True)
class AxisCohort:
    """An axis over the FULL profiles of all countries, in thousandths of its unit."""

    mean: int
    deviation: int

    def __post_init__(self) -> None:
        _check_numbers("axis", (self.mean, self.deviation))


@dataclass(frozen=True, slots=True)
class Cohorts:
    """All of a run; empty where too few are FULL."""

    countries: Mapping[str, CountryCohort]
    axes: Mapping[str, AxisCohort]

    def __post_init__(self) -> None:
        if self.axes and set(self.axes) != set(AXES):
            raise ValueError("axes must be all of them, or none")

    def to_json(self) -> str:
        """The text of these; equal cohorts have one text."""
        return json.dumps(
            {
                "countries": {
                    name: {
                        "size": one.size,
                        "least_minutes": list(one.least_minutes),
                        "genre_parts": dict(one.genre_parts),
                    }
                    for name, one in self.countries.items()
                },
                "axes": {name: [one.mean, one.deviation] for name, one in self.axes.items()},
            },
            sort_keys=True,
            ensure_ascii=False,
        )

    @staticmethod
    def of_json(text: str) -> "Cohorts":
        """What `to_json` wrote; "" is none. Raises ValueError for anything else."""
        if not text:
            return NO_COHORTS
        try:
            fields: dict[str, Any] = json.loads(text)
            return Cohorts(
                {
                    name: CountryCohort(
                        one["size"], tuple(one["least_minutes"]), dict(one["genre_parts"])
                    )
                    for name, one in fields["countries"].items()
                },
                {name: AxisCohort(*one) for name, one in fields["axes"].items()},
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"no cohorts: {error}") from error


NO_COHORTS: Final = Cohorts({}, {})


def _check_numbers(name: str, numbers: Iterable[object]) -> None:
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError(f"{name}: must be whole numbers from 0 on")


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What some profiles add to the cohorts: small, whatever their number."""

    minutes: pl.DataFrame  # country, minutes: a row a FULL profile
    spent: pl.DataFrame  # country, genre, minutes
    axes: pl.DataFrame  # axis, count, total, squares


def contribution(members: pl.DataFrame, taste: pl.DataFrame, axes: pl.DataFrame) -> Contribution:
    """That of `members` (profile_id, country, minutes), all of them FULL.

    `taste` and `axes` are those stories of at least these profiles.
    """
    number = pl.col("number")
    return Contribution(
        minutes=members.select("country", "minutes"),
        spent=taste.join(members, on="profile_id")
        .group_by("country", genre=pl.col("fact_id").str.strip_prefix("taste."))
        .agg(minutes=number.sum()),
        axes=axes.join(members.select("profile_id"), on="profile_id", how="semi")
        .group_by(axis=pl.col("fact_id").str.strip_prefix("axes."))
        .agg(count=pl.len().cast(pl.Int64), total=number.sum(), squares=(number * number).sum()),
    )


def cohorts(parts: Iterable[Contribution]) -> Cohorts:
    """The cohorts of all that contribute, in whatever order."""
    known = list(parts)
    if not known:
        return NO_COHORTS
    minutes = pl.concat(one.minutes for one in known)
    spent = (
        pl.concat(one.spent for one in known)
        .group_by("country", "genre")
        .agg(pl.col("minutes").sum())
        .sort("country", "genre")
    )
    countries = {}
    sized = minutes.filter((pl.col("country") != "") & (pl.len().over("country") >= LEAST_SIZE))
    for (country,), own in sized.group_by("country"):
        ordered = own["minutes"].sort()
        total = int(ordered.sum())
        genres = spent.filter(pl.col("country") == country)
        countries[str(country)] = CountryCohort(
            size=own.height,
            least_minutes=tuple(
                int(ordered[(percent * own.height + 99) // 100 - 1])
                for percent in range(1, PERCENTILES + 1)
            ),
            genre_parts={
                genre: PARTS * number // total
                for genre, number in zip(genres["genre"], genres["minutes"], strict=True)
            },
        )
    axes = _axes(pl.concat(one.axes for one in known))
    return Cohorts(dict(sorted(countries.items())), axes)


def _axes(sums: pl.DataFrame) -> dict[str, AxisCohort]:
    whole = sums.group_by("axis").agg(pl.col("count", "total", "squares").sum()).sort("axis")
    found = {}
    # Of those whose axes are in doubt there are minutes, and no axes.
    for axis, n, total, squares in whole.filter(pl.col("count") >= LEAST_SIZE).iter_rows():
        # In whole numbers of any size, so that it does not depend on the order of profiles.
        variance = 1_000_000 * (n * squares - total * total) // (n * n)
        found[axis] = AxisCohort(1000 * total // n, math.isqrt(variance))
    return found
