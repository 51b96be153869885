"""Cohorts: what a profile is compared with, frozen with the run that made them."""

import json
import math
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class AxisCohort:
    """An axis over the FULL profiles of all countries, in thousandths of its unit."""

    mean: int
    deviation: int


@dataclass(frozen=True, slots=True)
class Cohorts:
    """All of a run; empty where too few are FULL."""

    countries: Mapping[str, CountryCohort]
    axes: Mapping[str, AxisCohort]

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
        fields: dict[str, Any] = json.loads(text)
        try:
            return Cohorts(
                {
                    name: CountryCohort(
                        one["size"], tuple(one["least_minutes"]), dict(one["genre_parts"])
                    )
                    for name, one in fields["countries"].items()
                },
                {name: AxisCohort(*one) for name, one in fields["axes"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no cohorts: {error}") from error


NO_COHORTS: Final = Cohorts({}, {})


def cohorts(members: pl.DataFrame, taste: pl.DataFrame, axes: pl.DataFrame) -> Cohorts:
    """The cohorts of `members` (profile_id, country, minutes), all of them FULL.

    `taste` and `axes` are those stories of at least these profiles.
    """
    sized = members.filter(pl.col("country") != "").filter(
        pl.len().over("country") >= LEAST_SIZE
    )
    spent = (
        taste.join(sized, on="profile_id")
        .group_by("country", genre=pl.col("fact_id").str.strip_prefix("taste."))
        .agg(pl.col("number").sum())
        .sort("country", "genre")
    )
    countries = {}
    for (country,), own in sized.group_by("country"):
        minutes = own["minutes"].sort()
        total = int(minutes.sum())
        parts = spent.filter(pl.col("country") == country)
        countries[str(country)] = CountryCohort(
            size=own.height,
            least_minutes=tuple(
                int(minutes[(percent * own.height + 99) // 100 - 1])
                for percent in range(1, PERCENTILES + 1)
            ),
            genre_parts={
                genre: PARTS * number // total
                for genre, number in zip(parts["genre"], parts["number"], strict=True)
            },
        )
    return Cohorts(dict(sorted(countries.items())), _axes(members, axes))


def _axes(members: pl.DataFrame, axes: pl.DataFrame) -> dict[str, AxisCohort]:
    if members.height < LEAST_SIZE:
        return {}
    own = axes.join(members.select("profile_id"), on="profile_id", how="semi")
    found = {}
    for name in AXES:
        values = own.filter(pl.col("fact_id") == f"axes.{name}")["number"]
        n, total, squares = len(values), int(values.sum()), int((values * values).sum())
        # In whole numbers of any size, so that it does not depend on the order of profiles.
        variance = 1_000_000 * (n * squares - total * total) // (n * n)
        found[name] = AxisCohort(1000 * total // n, math.isqrt(variance))
    return found
