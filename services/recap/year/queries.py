"""What every fact is, in SQL over the export's tables: the second of two programs that count.

The first (amounts.py, moments.py, tastes.py) shares nothing with it, not even the time zones:
DuckDB has its own. `events` are the rows of an export, `titles`, `title_genres` and `title_people`
the catalogue; a query gives (profile_id, fact_id, number, text), and a row of neither is no fact.
"""

from typing import Final

# Each is made from what is above it.
TABLES: Final = {
    "watching": """
SELECT profile_id, title_id, kind, occurred_ms, sequence, event_id,
  coalesce(CASE WHEN titles.kind_of_title = 'EPISODE' THEN titles.parent_id END, title_id)
    AS whole_id,
  to_ms - from_ms AS watched_ms,
  CAST(wall AS DATE) AS day, hour(wall) >= 22 OR hour(wall) < 5 AS is_night
FROM (
  SELECT *, timezone(CASE time_zone WHEN '' THEN 'UTC' ELSE time_zone END,
    make_timestamptz(occurred_ms * 1000)) AS wall
  FROM events
  WHERE kind IN ('PLAY', 'PROGRESS', 'PAUSE', 'REWATCH', 'STOP', 'COMPLETE')
    AND occurred_ms <= $cutoff_ms AND recorded_ms <= $cutoff_ms
) LEFT JOIN (SELECT title_id, kind AS kind_of_title, parent_id FROM titles) AS titles
  USING (title_id)
""",
    "told": """
SELECT * FROM watching
WHERE day BETWEEN CAST($first_date AS DATE) AND CAST($last_date AS DATE)
""",
    "wholes": """
SELECT profile_id, whole_id, watched_ms, titles.kind, titles.release_date
FROM (SELECT profile_id, whole_id, sum(watched_ms)::BIGINT AS watched_ms
      FROM told GROUP BY ALL HAVING sum(watched_ms) > 0)
LEFT JOIN titles ON titles.title_id = whole_id
""",
    "liked_genres": """
SELECT profile_id, genre, sum(watched_ms)::BIGINT AS watched_ms
FROM wholes JOIN title_genres ON title_genres.title_id = whole_id
GROUP BY ALL
""",
}

QUERIES: Final = {
    "minutes": """
SELECT profile_id,
  unnest(['minutes.total', 'minutes.plays', 'minutes.days']) AS fact_id,
  unnest([sum(watched_ms) // 60000, count(*) FILTER (kind = 'PLAY'),
          count(DISTINCT day) FILTER (watched_ms > 0)]) AS number,
  NULL AS text
FROM told GROUP BY profile_id
HAVING sum(watched_ms) > 0 OR count(*) FILTER (kind = 'PLAY') > 0
""",
    "titles": """
WITH episodes AS (
  SELECT profile_id, count(DISTINCT title_id) AS episodes
  FROM told JOIN titles USING (title_id)
  WHERE watched_ms > 0 AND titles.kind = 'EPISODE' GROUP BY profile_id
), counts AS (
  SELECT profile_id, count(*) AS titles, count(*) FILTER (kind = 'MOVIE') AS movies,
    count(*) FILTER (kind = 'SERIES') AS series, coalesce(any_value(episodes), 0) AS episodes
  FROM wholes LEFT JOIN episodes USING (profile_id) GROUP BY profile_id
), placed AS (
  SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY watched_ms DESC, whole_id) AS place
  FROM wholes WHERE kind IS NOT NULL QUALIFY place <= 5
)
SELECT profile_id,
  unnest(['titles.count', 'titles.movies', 'titles.series', 'titles.episodes']) AS fact_id,
  unnest([titles, movies, series, episodes]) AS number, NULL AS text
FROM counts
UNION ALL
SELECT profile_id, unnest(['titles.' || place, 'titles.' || place || '.minutes']),
  unnest([NULL, watched_ms // 60000]), unnest([whole_id, NULL])
FROM placed
""",
    "genres": """
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY watched_ms DESC, genre) AS place,
    count(*) OVER (PARTITION BY profile_id) AS genres
  FROM liked_genres QUALIFY place <= 5
)
SELECT profile_id,
  unnest(['genres.' || place, 'genres.' || place || '.minutes',
          CASE place WHEN 1 THEN 'genres.count' END]) AS fact_id,
  unnest([NULL, watched_ms // 60000, CASE place WHEN 1 THEN genres END]) AS number,
  unnest([genre, NULL, NULL]) AS text
FROM placed
""",
    "people": """
WITH placed AS (
  SELECT profile_id, person, sum(watched_ms) AS ms, count(*) AS titles,
    row_number() OVER (PARTITION BY profile_id ORDER BY sum(watched_ms) DESC, person) AS place
  FROM wholes JOIN title_people ON title_people.title_id = whole_id
  GROUP BY profile_id, person QUALIFY place <= 5
)
SELECT profile_id,
  unnest(['people.' || place, 'people.' || place || '.minutes', 'people.' || place || '.titles'])
    AS fact_id,
  unnest([NULL, ms // 60000, titles]) AS number, unnest([person, NULL, NULL]) AS text
FROM placed
""",
    "series": """
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY watched_ms DESC, whole_id) AS place
  FROM wholes WHERE kind = 'SERIES' QUALIFY place <= 3
), counted AS (
  SELECT placed.profile_id, placed.whole_id, place, any_value(placed.watched_ms) AS ms,
    count(DISTINCT told.title_id)
      FILTER (told.watched_ms > 0 AND told.title_id <> told.whole_id) AS episodes
  FROM placed JOIN told USING (profile_id, whole_id) GROUP BY ALL
)
SELECT profile_id,
  unnest(['series.' || place, 'series.' || place || '.minutes', 'series.' || place || '.episodes'])
    AS fact_id,
  unnest([NULL, ms // 60000, episodes]) AS number, unnest([whole_id, NULL, NULL]) AS text
FROM counted
""",
    "rewatch": """
SELECT profile_id, unnest(['rewatch.title', 'rewatch.times']) AS fact_id,
  unnest([NULL, times]) AS number, unnest([title_id, NULL]) AS text
FROM (
  SELECT profile_id, title_id, count(*) FILTER (kind = 'COMPLETE') AS times
  FROM told WHERE title_id IN (SELECT title_id FROM titles)
  GROUP BY profile_id, title_id HAVING times >= 2
  QUALIFY row_number() OVER (
    PARTITION BY profile_id ORDER BY times DESC, sum(watched_ms) DESC, title_id) = 1
)
""",
    "night": """
SELECT profile_id, unnest(['night.percent', 'night.minutes']) AS fact_id,
  unnest([100 * coalesce(sum(watched_ms) FILTER (is_night), 0) // sum(watched_ms),
          coalesce(sum(watched_ms) FILTER (is_night), 0) // 60000]) AS number,
  NULL AS text
FROM told GROUP BY profile_id HAVING sum(watched_ms) > 0
""",
    "release": """
WITH dated AS (
  SELECT *,
    row_number() OVER (PARTITION BY profile_id ORDER BY release_date, whole_id) AS oldest,
    row_number() OVER (PARTITION BY profile_id ORDER BY release_date DESC, whole_id) AS newest
  FROM wholes WHERE release_date IS NOT NULL QUALIFY oldest = 1 OR newest = 1
)
SELECT profile_id, unnest(['release.oldest', 'release.oldest.date']) AS fact_id, NULL AS number,
  unnest([whole_id, strftime(release_date, '%Y-%m-%d')]) AS text FROM dated WHERE oldest = 1
UNION ALL
SELECT profile_id, unnest(['release.newest', 'release.newest.date']), NULL,
  unnest([whole_id, strftime(release_date, '%Y-%m-%d')]) FROM dated WHERE newest = 1
""",
    "binge": """
WITH gaps AS (
  SELECT *, lag(whole_id) OVER ordered IS DISTINCT FROM whole_id
    OR occurred_ms - watched_ms - lag(occurred_ms) OVER ordered > 1800000 AS is_begin
  FROM told WHERE watched_ms > 0
  WINDOW ordered AS (PARTITION BY profile_id ORDER BY occurred_ms, sequence, event_id)
), runs AS (
  SELECT *, sum(is_begin::INT)
    OVER (PARTITION BY profile_id ORDER BY occurred_ms, sequence, event_id) AS run
  FROM gaps
), found AS (
  SELECT profile_id, run, whole_id, sum(watched_ms) AS ms,
    count(DISTINCT title_id) FILTER (title_id <> whole_id) AS episodes,
    arg_min(day, (occurred_ms, sequence, event_id)) AS begun
  FROM runs WHERE whole_id IN (SELECT title_id FROM titles WHERE kind = 'SERIES')
  GROUP BY profile_id, run, whole_id HAVING episodes >= 3
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY ms DESC, run) = 1
)
SELECT profile_id,
  unnest(['binge.title', 'binge.minutes', 'binge.episodes', 'binge.date']) AS fact_id,
  unnest([NULL, ms // 60000, episodes, NULL]) AS number,
  unnest([whole_id, NULL, NULL, strftime(begun, '%Y-%m-%d')]) AS text
FROM found
""",
    "edges": """
WITH placed AS (
  SELECT profile_id, whole_id, strftime(day, '%Y-%m-%d') AS date,
    row_number() OVER (PARTITION BY profile_id ORDER BY occurred_ms, sequence, event_id) AS first,
    row_number() OVER (
      PARTITION BY profile_id ORDER BY occurred_ms DESC, sequence DESC, event_id DESC) AS last
  FROM told WHERE kind = 'PLAY' QUALIFY first = 1 OR last = 1
)
SELECT profile_id, unnest(['edges.first', 'edges.first.date']) AS fact_id, NULL AS number,
  unnest([titles.title_id, date]) AS text
FROM placed LEFT JOIN titles ON titles.title_id = whole_id WHERE first = 1
UNION ALL
SELECT profile_id, unnest(['edges.last', 'edges.last.date']), NULL,
  unnest([titles.title_id, date])
FROM placed LEFT JOIN titles ON titles.title_id = whole_id WHERE last = 1
""",
    "discoveries": """
WITH before AS (
  SELECT DISTINCT profile_id, whole_id FROM watching
  WHERE watched_ms > 0 AND day < CAST($first_date AS DATE)
), fresh AS (
  SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY watched_ms DESC, genre) AS place,
    count(*) OVER (PARTITION BY profile_id) AS genres
  FROM liked_genres
  WHERE profile_id IN (SELECT profile_id FROM before)
    AND (profile_id, genre) NOT IN (
      SELECT (profile_id, genre) FROM before JOIN title_genres ON title_id = whole_id)
  QUALIFY place <= 5
)
SELECT profile_id,
  unnest(['discoveries.' || place, 'discoveries.' || place || '.minutes',
          CASE place WHEN 1 THEN 'discoveries.count' END]) AS fact_id,
  unnest([NULL, watched_ms // 60000, CASE place WHEN 1 THEN genres END]) AS number,
  unnest([genre, NULL, NULL]) AS text
FROM fresh
""",
    "days": """
WITH by_day AS (
  SELECT profile_id, day, sum(watched_ms) AS ms, count(DISTINCT whole_id) AS titles,
    day - lag(day) OVER (PARTITION BY profile_id ORDER BY day) AS gap,
    date_diff('day', DATE '1970-01-01', day)
      - row_number() OVER (PARTITION BY profile_id ORDER BY day) AS run
  FROM told WHERE watched_ms > 0 GROUP BY profile_id, day
), longest AS (
  SELECT * FROM by_day
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY ms DESC, day) = 1
), widest AS (
  SELECT * FROM by_day WHERE titles >= 3
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY titles DESC, day) = 1
), devoted AS (
  SELECT profile_id, day, whole_id, count(DISTINCT title_id) AS episodes FROM told
  WHERE watched_ms > 0 AND title_id <> whole_id
    AND whole_id IN (SELECT title_id FROM titles WHERE kind = 'SERIES')
  GROUP BY profile_id, day, whole_id HAVING episodes >= 3
  QUALIFY row_number() OVER (
    PARTITION BY profile_id ORDER BY episodes DESC, day, whole_id) = 1
), comeback AS (
  SELECT * FROM by_day WHERE gap > 14
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY gap DESC, day) = 1
), streak AS (
  SELECT profile_id, min(day) AS day, count(*) AS length FROM by_day
  GROUP BY profile_id, run HAVING length >= 3
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY length DESC, min(day)) = 1
)
SELECT profile_id, unnest(['days.longest', 'days.longest.minutes']) AS fact_id,
  unnest([NULL, ms // 60000]) AS number, unnest([strftime(day, '%Y-%m-%d'), NULL]) AS text
FROM longest
UNION ALL
SELECT profile_id, unnest(['days.widest', 'days.widest.titles']),
  unnest([NULL, titles]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM widest
UNION ALL
SELECT profile_id, unnest(['days.devoted', 'days.devoted.series', 'days.devoted.episodes']),
  unnest([NULL, NULL, episodes]), unnest([strftime(day, '%Y-%m-%d'), whole_id, NULL]) FROM devoted
UNION ALL
SELECT profile_id, unnest(['days.comeback', 'days.comeback.away_days']),
  unnest([NULL, gap - 1]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM comeback
UNION ALL
SELECT profile_id, unnest(['days.streak', 'days.streak.days']),
  unnest([NULL, length]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM streak
""",
    "throwbacks": """
WITH seen AS (
  SELECT profile_id, whole_id, sum(watched_ms) AS ms,
    max(occurred_ms) FILTER (watched_ms > 0) AS last_ms,
    arg_max(day, (occurred_ms, day)) FILTER (watched_ms > 0) AS last_day
  FROM watching
  WHERE whole_id IN (SELECT title_id FROM titles WHERE kind IN ('MOVIE', 'SERIES'))
  GROUP BY profile_id, whole_id HAVING ms > 0 AND $cutoff_ms - last_ms >= 15552000000
), twice AS (
  SELECT profile_id, any_value(whole_id) AS whole_id FROM watching
  WHERE kind = 'COMPLETE' GROUP BY profile_id, title_id HAVING count(*) >= 2
), opinions AS (
  SELECT profile_id, title_id AS whole_id,
    arg_max(thumb, (occurred_ms, sequence, event_id)) FILTER (kind = 'THUMB') AS thumb,
    arg_max(rating_value / rating_scale, (occurred_ms, sequence, event_id))
      FILTER (kind = 'RATING') AS rating
  FROM events
  WHERE kind IN ('THUMB', 'RATING') AND occurred_ms <= $cutoff_ms AND recorded_ms <= $cutoff_ms
  GROUP BY profile_id, title_id
), placed AS (
  SELECT profile_id, whole_id, last_day,
    row_number() OVER (PARTITION BY profile_id ORDER BY ms DESC, whole_id) AS place
  FROM seen LEFT JOIN opinions USING (profile_id, whole_id)
  WHERE thumb IS DISTINCT FROM 'DOWN' AND (thumb = 'UP' OR rating >= 0.8
    OR (profile_id, whole_id) IN (SELECT (profile_id, whole_id) FROM twice))
  QUALIFY place <= 5
)
SELECT profile_id, unnest(['throwbacks.' || place, 'throwbacks.' || place || '.date']) AS fact_id,
  NULL AS number, unnest([whole_id, strftime(last_day, '%Y-%m-%d')]) AS text
FROM placed
""",
    "taste": """
SELECT profile_id, 'taste.' || genre AS fact_id, watched_ms // 60000 AS number, NULL AS text
FROM liked_genres
""",
    "axes": """
WITH of_told AS (
  SELECT profile_id, sum(watched_ms) AS ms, sum(watched_ms) // 60000 AS minutes,
    coalesce(sum(watched_ms) FILTER (is_night), 0) AS night_ms,
    coalesce(sum(watched_ms) FILTER (isodow(day) >= 6), 0) AS weekend_ms,
    count(DISTINCT day) FILTER (watched_ms > 0) AS days, count(*) FILTER (kind = 'PLAY') AS plays
  FROM told GROUP BY profile_id HAVING sum(watched_ms) >= 60000
), repeats AS (
  SELECT profile_id, sum(greatest(times - 1, 0)) AS repeats FROM (
    SELECT profile_id, title_id, count(*) FILTER (kind = 'COMPLETE') AS times
    FROM told GROUP BY profile_id, title_id) GROUP BY profile_id
), of_wholes AS (
  SELECT profile_id, count(*) AS titles,
    coalesce(sum(watched_ms) FILTER (kind = 'SERIES'), 0) AS series_ms,
    coalesce(sum(watched_ms) FILTER (
      year(release_date) <= year(make_timestamp($cutoff_ms * 1000)) - 20), 0) AS vintage_ms
  FROM wholes GROUP BY profile_id
), of_genres AS (SELECT profile_id, count(*) AS genres FROM liked_genres GROUP BY profile_id)
SELECT profile_id,
  unnest(['axes.night', 'axes.weekend', 'axes.series', 'axes.variety', 'axes.vintage',
          'axes.intensity', 'axes.breadth', 'axes.repeat']) AS fact_id,
  unnest([1000 * night_ms // ms, 1000 * weekend_ms // ms, 1000 * series_ms // ms,
          coalesce(genres, 0), 1000 * vintage_ms // ms, minutes // days,
          60000 * titles // minutes, 1000 * repeats // greatest(plays, 1)]) AS number,
  NULL AS text
FROM of_told JOIN repeats USING (profile_id) JOIN of_wholes USING (profile_id)
  LEFT JOIN of_genres USING (profile_id)
""",
}
