"""Stories of comparison: with the country, and with the archetypes."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from services.recap.year.cohort import PARTS, Cohorts

# Of a genre that is to be told of as the viewer's own: an hour, and more than others watch of it.
_LEAST_GENRE_MINUTES: Final = 60
_LEAST_TENTHS: Final = 11
# One outlying axis must not make every archetype.
_MOST_SCORE: Final = 3000

_SCHEMA: Final = {
    "profile_id": pl.String(),
    "fact_id": pl.String(),
    "number": pl.Int64(),
    "text": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Archetype:
    """A prototype on the z-scored axes: the two in which it is far from the average."""

    name: str
    first: str
    first_sign: int
    second: str
    second_sign: int


# Of two that fit alike the first is told.
ARCHETYPES: Final = (
    Archetype("night_owl", "night", 1, "intensity", 1),
    Archetype("weekender", "weekend", 1, "intensity", 1),
    Archetype("devotee", "series", 1, "breadth", -1),
    Archetype("explorer", "variety", 1, "breadth", 1),
    Archetype("time_traveller", "vintage", 1, "variety", 1),
    Archetype("film_lover", "series", -1, "vintage", 1),
    Archetype("comfort_seeker", "repeat", 1, "variety", -1),
    Archetype("marathoner", "intensity", 1, "series", 1),
    Archetype("sampler", "breadth", 1, "intensity", -1),
    Archetype("regular", "night", -1, "weekend", -1),
)

# Over `base` (profile_id, country, minutes of FULL profiles), `taste`, `axes` and the frozen
# cohorts as tables.
COMPARISON_QUERIES: Final = {
    "country": """
WITH liked AS (
  SELECT profile_id, genre, number AS spent,
    number::HUGEINT * 10000000 // (minutes::HUGEINT * parts) AS tenths
  FROM base JOIN taste USING (profile_id) JOIN cohort_genres
    ON cohort_genres.country = base.country AND 'taste.' || genre = fact_id
  WHERE number >= 60 AND parts > 0 AND tenths >= 11
  QUALIFY row_number() OVER (
    PARTITION BY profile_id ORDER BY tenths DESC, number DESC, genre) = 1
), placed AS (
  SELECT profile_id, country, count(*) FILTER (least < minutes) AS percentile
  FROM base JOIN cohort_minutes USING (country) GROUP BY profile_id, country
)
SELECT profile_id, unnest(['country.code', 'country.percentile']) AS fact_id,
  unnest([NULL, percentile]) AS number, unnest([country, NULL]) AS text FROM placed
UNION ALL
SELECT profile_id, unnest(['country.genre', 'country.genre.tenths']),
  unnest([NULL, tenths]), unnest([genre, NULL]) FROM liked
""",
    "archetype": """
WITH scored AS (
  SELECT profile_id, axis, number, mean // 1000 AS average,
    greatest(-3000, least(3000, CASE deviation WHEN 0 THEN 0 ELSE
      sign(1000 * number - mean) * (1000 * abs(1000 * number - mean) // deviation) END)) AS score
  FROM base JOIN axes USING (profile_id) JOIN cohort_axes ON 'axes.' || axis = fact_id
), fits AS (
  SELECT a.profile_id, name, first, a.number AS one, a.average AS one_average, second,
    b.number AS two, b.average AS two_average
  FROM archetypes JOIN scored AS a ON a.axis = first
    JOIN scored AS b ON b.axis = second AND b.profile_id = a.profile_id
  QUALIFY row_number() OVER (PARTITION BY a.profile_id
    ORDER BY first_sign * a.score + second_sign * b.score DESC, place) = 1
)
SELECT profile_id,
  unnest(['archetype.name', 'archetype.first', 'archetype.first.value',
          'archetype.first.average', 'archetype.second', 'archetype.second.value',
          'archetype.second.average']) AS fact_id,
  unnest([NULL, NULL, one, one_average, NULL, two, two_average]) AS number,
  unnest([name, first, NULL, NULL, second, NULL, NULL]) AS text
FROM fits
""",
}


def country(base: pl.DataFrame, taste: pl.DataFrame, cohorts: Cohorts) -> pl.DataFrame:
    """How much more than others, and of which genre; of those whose country has a cohort.

    `base` is profile_id, country, minutes of FULL profiles.
    """
    rows: list[tuple[str, str, int | None, str | None]] = []
    own = base.filter(pl.col("country").is_in(list(cohorts.countries)))
    spent = {
        str(key[0]): list(zip(part["genre"], part["number"], strict=True))
        for key, part in taste.join(own, on="profile_id", how="semi")
        .filter(pl.col("number") >= _LEAST_GENRE_MINUTES)
        .with_columns(genre=pl.col("fact_id").str.strip_prefix("taste."))
        .group_by("profile_id")
    }
    for profile_id, code, minutes in own.select("profile_id", "country", "minutes").iter_rows():
        cohort = cohorts.countries[code]
        percentile = sum(least < minutes for least in cohort.least_minutes)
        rows.append((profile_id, "country.code", None, code))
        rows.append((profile_id, "country.percentile", percentile, None))
        liked = [
            (-(10 * PARTS * number // (minutes * parts)), -number, genre)
            for genre, number in spent.get(profile_id, ())
            if (parts := cohort.genre_parts.get(genre, 0)) > 0
        ]
        if liked and -min(liked)[0] >= _LEAST_TENTHS:
            tenths, _, genre = min(liked)
            rows.append((profile_id, "country.genre", None, genre))
            rows.append((profile_id, "country.genre.tenths", -tenths, None))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def archetype(base: pl.DataFrame, axes: pl.DataFrame, cohorts: Cohorts) -> pl.DataFrame:
    """The archetype that fits best, and where the profile stands on its two axes."""
    own = axes.join(base, on="profile_id", how="semi")
    if not cohorts.axes or own.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    wide = own.pivot(on="fact_id", index="profile_id", values="number")
    scores = {
        axis: _score(pl.col(f"axes.{axis}"), one.mean, one.deviation)
        for axis, one in cohorts.axes.items()
    }
    fit = wide.select(
        (one.first_sign * scores[one.first] + one.second_sign * scores[one.second]).alias(one.name)
        for one in ARCHETYPES
    )
    chosen = wide.with_columns(
        chosen=fit.select(pl.concat_list(pl.all()).list.arg_max()).to_series()
    )
    found = [pl.DataFrame(schema=_SCHEMA)]
    for place, one in enumerate(ARCHETYPES):
        mine = chosen.filter(pl.col("chosen") == place)
        for ending, text, number in (
            ("name", one.name, None),
            ("first", one.first, None),
            ("first.value", None, pl.col(f"axes.{one.first}")),
            ("first.average", None, pl.lit(cohorts.axes[one.first].mean // 1000)),
            ("second", one.second, None),
            ("second.value", None, pl.col(f"axes.{one.second}")),
            ("second.average", None, pl.lit(cohorts.axes[one.second].mean // 1000)),
        ):
            found.append(
                mine.select(
                    "profile_id",
                    fact_id=pl.lit(f"archetype.{ending}"),
                    number=(pl.lit(None) if number is None else number).cast(pl.Int64),
                    text=pl.lit(text).cast(pl.String),
                )
            )
    return pl.concat(found)


def _score(value: pl.Expr, mean: int, deviation: int) -> pl.Expr:
    """In thousandths of a deviation, rounded towards the mean."""
    if deviation == 0:
        return 0 * value
    away = 1000 * value - mean
    return (away.sign() * (1000 * away.abs() // deviation)).clip(-_MOST_SCORE, _MOST_SCORE)


def cohort_tables(cohorts: Cohorts) -> dict[str, pl.DataFrame]:
    """The frozen cohorts and the archetypes as the tables that the queries name."""
    text, whole = pl.String(), pl.Int64()
    return {
        "cohort_minutes": pl.DataFrame(
            [
                (name, least)
                for name, one in cohorts.countries.items()
                for least in one.least_minutes
            ],
            schema={"country": text, "least": whole},
            orient="row",
        ),
        "cohort_genres": pl.DataFrame(
            [
                (name, genre, parts)
                for name, one in cohorts.countries.items()
                for genre, parts in one.genre_parts.items()
            ],
            schema={"country": text, "genre": text, "parts": whole},
            orient="row",
        ),
        "cohort_axes": pl.DataFrame(
            [(axis, one.mean, one.deviation) for axis, one in cohorts.axes.items()],
            schema={"axis": text, "mean": whole, "deviation": whole},
            orient="row",
        ),
        "archetypes": pl.DataFrame(
            [
                (place, one.name, one.first, one.first_sign, one.second, one.second_sign)
                for place, one in enumerate(ARCHETYPES)
            ],
            schema={
                "place": whole,
                "name": text,
                "first": text,
                "first_sign": whole,
                "second": text,
                "second_sign": whole,
            },
            orient="row",
        ),
    }
