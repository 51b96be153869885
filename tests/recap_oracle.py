"""Recaps a third time: plain SQL over an export, written from the README's definitions alone.

It imports nothing of the recap service and nothing of the features, and wants to be read beside
the README rather than to be fast: everything is by ids, and every fact is asked for by itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import duckdb

from tests.recap_comparison_oracle import COMPARISONS, MEMBERS

Facts = dict[tuple[str, str], int | str]

# The log by viewer: of shared profiles what is in `whose`, and nothing else of them.
_LOG: Final = """
CREATE VIEW exported AS
SELECT * FROM read_parquet('{export}/partition=*/events.parquet', hive_partitioning = false);
CREATE TABLE whose AS
SELECT * FROM read_parquet('{run}/part=*/whose.parquet', hive_partitioning = false);
CREATE TABLE log AS
SELECT e.* REPLACE (o.viewer_id AS profile_id) FROM exported AS e, whose AS o
WHERE e.profile_id = o.profile_id AND e.session_id = o.session_id AND e.title_id = o.title_id
UNION ALL
SELECT * FROM exported WHERE profile_id NOT IN (SELECT profile_id FROM whose)
"""
_WATCHING: Final = """
CREATE TABLE w AS
WITH e AS (
  SELECT *,
    row_number() OVER (PARTITION BY profile_id ORDER BY occurred_ms, sequence, event_id) AS n
  FROM log
  WHERE occurred_ms <= {cutoff_ms} AND recorded_ms <= {cutoff_ms}
    AND profile_id NOT IN (
      SELECT profile_id FROM read_parquet('{export}/profiles.parquet')
      WHERE list_has_any(refused_consents, ['RECAP', 'PERSONALIZATION']))
), placed AS (
  SELECT e.*, to_ms - from_ms AS ms,
    (TIMESTAMPTZ 'epoch' + to_milliseconds(occurred_ms))
      AT TIME ZONE coalesce(nullif(time_zone, ''), 'UTC') AS wall
  FROM e WHERE e.kind NOT IN ('SEEK') AND to_ms IS NOT NULL
)
SELECT placed.profile_id, placed.title_id, placed.kind, n, occurred_ms, ms, wall::DATE AS day,
  extract(hour FROM wall) AS hour, t.kind AS title_kind,
  if(t.kind = 'EPISODE', t.parent_id, placed.title_id) AS whole_id
FROM placed LEFT JOIN titles AS t ON t.title_id = placed.title_id
"""
_PERIOD: Final = """
CREATE VIEW p AS SELECT w.*, whole.kind AS whole_kind, whole.release_date AS released
FROM w LEFT JOIN titles AS whole ON whole.title_id = w.whole_id
WHERE day >= DATE '{first}' AND day <= DATE '{last}'
"""
# Of every whole and of every day with something watched.
_SUMS: Final = """
CREATE VIEW of_whole AS
SELECT profile_id, whole_id, whole_kind, released, sum(ms) AS ms
FROM p GROUP BY ALL HAVING sum(ms) > 0;
CREATE VIEW of_genre AS
SELECT profile_id, genre, sum(ms) AS ms
FROM of_whole, title_genres AS g WHERE g.title_id = whole_id GROUP BY ALL;
CREATE VIEW of_person AS
SELECT profile_id, person, sum(ms) AS ms, count(*) AS wholes
FROM of_whole, title_people AS g WHERE g.title_id = whole_id GROUP BY ALL;
CREATE VIEW of_day AS
SELECT profile_id, day, sum(ms) AS ms, count(DISTINCT whole_id) AS wholes
FROM p WHERE ms > 0 GROUP BY ALL;
"""

_NUMBERS: Final = {
    "minutes.total": "SELECT profile_id, floor(sum(ms) / 60000) FROM p GROUP BY 1"
    " HAVING sum(ms) > 0 OR bool_or(kind = 'PLAY')",
    "minutes.days": "SELECT profile_id, count(DISTINCT if(ms > 0, day, NULL)) FROM p GROUP BY 1"
    " HAVING sum(ms) > 0 OR bool_or(kind = 'PLAY')",
    "minutes.plays": "SELECT profile_id, sum(if(kind = 'PLAY', 1, 0)) FROM p GROUP BY 1"
    " HAVING sum(ms) > 0 OR bool_or(kind = 'PLAY')",
    "titles.count": "SELECT profile_id, count(*) FROM of_whole GROUP BY 1",
    "titles.movies": "SELECT profile_id, count(if(whole_kind = 'MOVIE', 1, NULL)) FROM of_whole"
    " GROUP BY 1",
    "titles.series": "SELECT profile_id, count(if(whole_kind = 'SERIES', 1, NULL)) FROM of_whole"
    " GROUP BY 1",
    "titles.episodes": "SELECT profile_id,"
    " count(DISTINCT if(ms > 0 AND title_kind = 'EPISODE', title_id, NULL))"
    " FROM p GROUP BY 1 HAVING sum(ms) > 0",
    "genres.count": "SELECT profile_id, count(*) FROM of_genre GROUP BY 1",
    "night.percent": "SELECT profile_id,"
    " floor(100 * sum(if(hour IN (22, 23, 0, 1, 2, 3, 4), ms, 0)) / sum(ms)) FROM p"
    " GROUP BY 1 HAVING sum(ms) > 0",
    "night.minutes": "SELECT profile_id,"
    " floor(sum(if(hour IN (22, 23, 0, 1, 2, 3, 4), ms, 0)) / 60000)"
    " FROM p GROUP BY 1 HAVING sum(ms) > 0",
}

# profile_id, place, and the values in the order of the endings; the first `most` places.
_RANKED: Final = {
    ("titles", 5, ("", ".minutes")): "SELECT profile_id, whole_id, floor(ms / 60000)"
    " FROM of_whole"
    " WHERE whole_kind IS NOT NULL ORDER BY ms DESC, whole_id",
    ("genres", 5, ("", ".minutes")): "SELECT profile_id, genre, floor(ms / 60000) FROM of_genre"
    " ORDER BY ms DESC, genre",
    (
        "people",
        5,
        ("", ".minutes", ".titles"),
    ): "SELECT profile_id, person,"
    " floor(ms / 60000), wholes FROM of_person ORDER BY ms DESC, person",
    ("series", 3, ("", ".minutes", ".episodes")): """
SELECT profile_id, whole_id, floor(ms / 60000), (
  SELECT count(DISTINCT title_id) FROM p WHERE p.profile_id = s.profile_id
  AND p.whole_id = s.whole_id AND p.title_id <> p.whole_id AND p.ms > 0)
FROM of_whole AS s WHERE whole_kind = 'SERIES' ORDER BY ms DESC, whole_id
""",
    ("throwbacks", 5, ("", ".date")): """
WITH opinion AS (
  SELECT * FROM log
  WHERE kind IN ('THUMB', 'RATING') AND occurred_ms <= {cutoff_ms} AND recorded_ms <= {cutoff_ms}
), thumbs AS (
  SELECT profile_id, title_id, last(thumb ORDER BY occurred_ms, sequence, event_id) AS thumb
  FROM opinion WHERE kind = 'THUMB' GROUP BY ALL
), ratings AS (
  SELECT profile_id, title_id,
    last(rating_value / rating_scale ORDER BY occurred_ms, sequence, event_id) AS rating
  FROM opinion WHERE kind = 'RATING' GROUP BY ALL
), completed AS (
  SELECT profile_id, whole_id, max(times) AS times FROM (
    SELECT profile_id, whole_id, title_id, count(*) AS times FROM w WHERE kind = 'COMPLETE'
    GROUP BY ALL) GROUP BY ALL
), seen AS (
  SELECT profile_id, whole_id, sum(ms) AS ms, max(occurred_ms) AS at_ms,
    last(day ORDER BY occurred_ms, day) AS day
  FROM w WHERE ms > 0 GROUP BY ALL
)
SELECT seen.profile_id, seen.whole_id, strftime(seen.day, '%Y-%m-%d')
FROM seen JOIN titles ON titles.title_id = seen.whole_id AND titles.kind IN ('MOVIE', 'SERIES')
LEFT JOIN thumbs ON thumbs.profile_id = seen.profile_id AND thumbs.title_id = seen.whole_id
LEFT JOIN ratings ON ratings.profile_id = seen.profile_id AND ratings.title_id = seen.whole_id
LEFT JOIN completed AS c ON c.profile_id = seen.profile_id AND c.whole_id = seen.whole_id
WHERE {cutoff_ms} - at_ms >= 180 * 86400000::BIGINT AND coalesce(thumb, '') <> 'DOWN'
  AND (coalesce(thumb, '') = 'UP' OR coalesce(rating, 0) >= 0.8 OR coalesce(times, 0) >= 2)
ORDER BY seen.ms DESC, seen.whole_id
""",
}
_DISCOVERIES: Final = """
SELECT profile_id, genre, floor(ms / 60000) FROM of_genre AS now
WHERE EXISTS (FROM w WHERE w.profile_id = now.profile_id AND w.ms > 0 AND w.day < DATE '{first}')
  AND NOT EXISTS (FROM w JOIN title_genres AS g ON g.title_id = w.whole_id
    WHERE w.profile_id = now.profile_id AND w.ms > 0 AND w.day < DATE '{first}'
      AND g.genre = now.genre)
ORDER BY ms DESC, genre
"""

# profile_id and the values of these facts; of the first row of each profile.
_FIRST: Final = {
    ("binge.title", "binge.minutes", "binge.episodes", "binge.date"): """
WITH RECURSIVE listed AS (
  SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY n) AS k FROM p WHERE ms > 0
), starts AS (
  SELECT a.profile_id, a.k FROM listed AS a
  LEFT JOIN listed AS b ON b.profile_id = a.profile_id AND b.k = a.k - 1
  WHERE b.k IS NULL OR b.whole_id <> a.whole_id
    OR (a.occurred_ms - a.ms) - b.occurred_ms > 30 * 60 * 1000
), runs AS (
  SELECT listed.*, starts.k AS run FROM listed ASOF JOIN starts
  ON starts.profile_id = listed.profile_id AND listed.k >= starts.k
), summed AS (
  SELECT profile_id, run, whole_id, sum(ms) AS ms,
    count(DISTINCT if(title_id <> whole_id, title_id, NULL)) AS episodes,
    strftime(first(day ORDER BY n), '%Y-%m-%d') AS date
  FROM runs WHERE whole_kind = 'SERIES' GROUP BY ALL
)
SELECT profile_id, whole_id, floor(ms / 60000), episodes, date FROM summed
WHERE episodes >= 3 ORDER BY ms DESC, run
""",
    ("rewatch.title", "rewatch.times"): """
SELECT profile_id, title_id, sum(if(kind = 'COMPLETE', 1, 0)) AS times FROM p
WHERE title_kind IS NOT NULL GROUP BY profile_id, title_id
HAVING times >= 2 ORDER BY times DESC, sum(ms) DESC, title_id
""",
    ("release.oldest", "release.oldest.date"): """
SELECT profile_id, whole_id, strftime(released, '%Y-%m-%d') FROM of_whole
WHERE released IS NOT NULL ORDER BY released, whole_id
""",
    ("release.newest", "release.newest.date"): """
SELECT profile_id, whole_id, strftime(released, '%Y-%m-%d') FROM of_whole
WHERE released IS NOT NULL ORDER BY released DESC, whole_id
""",
    ("edges.first", "edges.first.date"): """
SELECT profile_id, if(whole_kind IS NULL, NULL, whole_id), strftime(day, '%Y-%m-%d')
FROM p WHERE kind = 'PLAY' ORDER BY n
""",
    ("edges.last", "edges.last.date"): """
SELECT profile_id, if(whole_kind IS NULL, NULL, whole_id), strftime(day, '%Y-%m-%d')
FROM p WHERE kind = 'PLAY' ORDER BY n DESC
""",
    ("days.longest", "days.longest.minutes"): """
SELECT profile_id, strftime(day, '%Y-%m-%d'), floor(ms / 60000) FROM of_day ORDER BY ms DESC, day
""",
    ("days.widest", "days.widest.titles"): """
SELECT profile_id, strftime(day, '%Y-%m-%d'), wholes FROM of_day
WHERE wholes >= 3 ORDER BY wholes DESC, day
""",
    ("days.devoted", "days.devoted.series", "days.devoted.episodes"): """
SELECT profile_id, strftime(day, '%Y-%m-%d'), whole_id, count(DISTINCT title_id) AS episodes
FROM p WHERE ms > 0 AND whole_kind = 'SERIES' AND title_id <> whole_id
GROUP BY profile_id, day, whole_id HAVING episodes >= 3 ORDER BY episodes DESC, day, whole_id
""",
    ("days.comeback", "days.comeback.away_days"): """
SELECT profile_id, strftime(day, '%Y-%m-%d'), away FROM (
  SELECT profile_id, day, datediff('day', (SELECT max(day) FROM of_day AS b
    WHERE b.profile_id = a.profile_id AND b.day < a.day), day) - 1 AS away FROM of_day AS a)
WHERE away >= 14 ORDER BY away DESC, day
""",
    ("days.streak", "days.streak.days"): """
WITH RECURSIVE streak AS (
  SELECT profile_id, day AS first, day FROM of_day AS a WHERE NOT EXISTS (
    FROM of_day AS b WHERE b.profile_id = a.profile_id AND b.day = a.day - 1)
  UNION ALL
  SELECT s.profile_id, s.first, s.day + 1 FROM streak AS s
  JOIN of_day AS b ON b.profile_id = s.profile_id AND b.day = s.day + 1
)
SELECT profile_id, strftime(first, '%Y-%m-%d'), count(*) AS days FROM streak
GROUP BY profile_id, first HAVING days >= 3 ORDER BY days DESC, first
""",
}


def oracle(
    export: Path, run: Path, *, first: str, last: str, cutoff_ms: int, is_lifetime: bool
) -> Facts:
    """Every fact by viewer and fact id.

    `run` holds titles.parquet, title_genres.parquet and title_people.parquet, and in folders
    part=* which sessions of shared profiles are whose.
    """
    names = {
        "export": str(export),
        "run": str(run),
        "first": first,
        "last": last,
        "cutoff_ms": cutoff_ms,
    }
    found: Facts = {}
    with duckdb.connect() as connection:
        for table in ("titles", "title_genres", "title_people"):
            connection.read_parquet(f"{run}/{table}.parquet").create_view(table)
        for query in (_LOG, _WATCHING, _PERIOD, _SUMS, MEMBERS):
            connection.execute(query.format(**names))

        def rows(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query.format(**names)).fetchall()

        for fact_id, query in _NUMBERS.items():
            _note(found, (fact_id,), rows(query))
        for (name, most, endings), query in _RANKED.items():
            _note_ranked(found, name, most, endings, rows(query))
        for fact_ids, query in (_FIRST | COMPARISONS).items():
            _note(found, fact_ids, rows(query))
        if not is_lifetime:
            fresh = rows(_DISCOVERIES)
            _note_ranked(found, "discoveries", 5, ("", ".minutes"), fresh)
            for profile_id, count in Counter(row[0] for row in fresh).items():
                found[str(profile_id), "discoveries.count"] = count
    return found


def _note(found: Facts, fact_ids: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """The values of the first row of each profile."""
    seen: set[object] = set()
    for profile_id, *values in rows:
        if profile_id not in seen:
            seen.add(profile_id)
            for fact_id, value in zip(fact_ids, values, strict=True):
                if value is not None:
                    found[str(profile_id), fact_id] = _plain(value)


def _note_ranked(
    found: Facts,
    name: str,
    most: int,
    endings: Sequence[str],
    rows: Iterable[tuple[object, ...]],
) -> None:
    places: Counter[object] = Counter()
    for profile_id, *values in rows:
        places[profile_id] += 1
        if places[profile_id] <= most:
            for ending, value in zip(endings, values, strict=True):
                found[str(profile_id), f"{name}.{places[profile_id]}{ending}"] = _plain(value)


def _plain(value: object) -> int | str:
    # DuckDB's floor gives a decimal or a double, both of them whole.
    return value if isinstance(value, str) else int(str(value).split(".")[0])
