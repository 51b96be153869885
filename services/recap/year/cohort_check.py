"""The cohorts of a run, counted a second time in SQL over the facts that were verified."""

from pathlib import Path
from typing import Any, Final

import duckdb

from services.recap.year.cohort import Cohorts

_MEMBERS: Final = """
CREATE VIEW members AS
SELECT profile_id, coalesce(country, '') AS country, minutes FROM (
  SELECT profile_id, max(number) FILTER (fact_id = 'minutes.total') AS minutes,
    max(number) FILTER (fact_id = 'minutes.days') AS days,
    max(number) FILTER (fact_id = 'titles.count') AS titles
  FROM (SELECT * FROM {minutes} UNION ALL SELECT * FROM {titles})
  GROUP BY profile_id HAVING minutes >= 300 AND days >= 3 AND titles >= 5
) AS viewers LEFT JOIN (SELECT profile_id AS home_id, country FROM {profiles})
  ON home_id = split_part(viewers.profile_id, chr(10), 1)
"""
_SIZED: Final = """
CREATE VIEW sized AS SELECT *, count(*) OVER (PARTITION BY country) AS size
FROM members WHERE country <> '' QUALIFY size >= 50
"""
_MINUTES: Final = """
SELECT country, size, list(minutes ORDER BY percent) FROM (
  SELECT *, row_number() OVER (PARTITION BY country ORDER BY minutes) AS place FROM sized
) JOIN (SELECT unnest(range(1, 100)) AS percent) ON place = (percent * size + 99) // 100
GROUP BY country, size
"""
_GENRES: Final = """
SELECT country, fact_id[7:] AS genre, (1000000 * sum(number) // any_value(total))::BIGINT
FROM sized JOIN {taste} USING (profile_id)
  JOIN (SELECT country, sum(minutes) AS total FROM sized GROUP BY country) USING (country)
GROUP BY country, genre
"""
_AXES: Final = """
SELECT fact_id[6:] AS axis, (1000 * sum(number) // count(*))::BIGINT,
  floor(sqrt((1000000 * (count(*) * sum(number * number) - sum(number) * sum(number))
    // (count(*) * count(*)))::DOUBLE))::BIGINT
FROM members JOIN {axes} USING (profile_id)
GROUP BY axis HAVING count(*) >= 50
"""


def check_cohorts(found: Cohorts, facts_path: Path, profiles_path: Path, *, threads: int) -> str:
    """What differs from the cohorts of the stories below `facts_path`; "" is nothing."""
    tables = {
        name: _parquet(facts_path / "part=*" / f"{name}.parquet")
        for name in ("minutes", "titles", "taste", "axes")
    } | {"profiles": _parquet(profiles_path)}
    connection = duckdb.connect(config={"threads": threads})
    try:
        connection.execute(_MEMBERS.format(**tables))
        connection.execute(_SIZED)

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.format(**tables)).fetchall()

        minutes = {country: (size, tuple(least)) for country, size, least in rows(_MINUTES)}
        genres: dict[str, dict[str, int]] = {country: {} for country in minutes}
        for country, genre, parts in rows(_GENRES):
            genres[country][genre] = parts
        axes = {axis: (mean, deviation) for axis, mean, deviation in rows(_AXES)}
    finally:
        connection.close()
    if minutes != {name: (one.size, one.least_minutes) for name, one in found.countries.items()}:
        return "the minutes of countries"
    if genres != {name: dict(one.genre_parts) for name, one in found.countries.items()}:
        return "the genres of countries"
    if axes != {name: (one.mean, one.deviation) for name, one in found.axes.items()}:
        return "the axes"
    return ""


def _parquet(path: Path) -> str:
    escaped = str(path).replace("'", "''")
    return f"(SELECT * FROM read_parquet('{escaped}', hive_partitioning = false))"  # noqa: S608
