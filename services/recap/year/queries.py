"""What every fact is, in SQL: the second of two programs that count.

The first (amounts.py, moments.py, tastes.py) shares nothing with it, not even the time zones:
DuckDB has its own. A query gives (profile, fact_id, number, text) over what tables.py makes; a row
of neither number nor text is no fact. Joins of several sums are MATERIALIZED before they are
unnested: with several threads DuckDB 2.0.0 ends otherwise in "dict-surviving cache".
"""

from typing import Final

QUERIES: Final = {
    "minutes": """
WITH watched AS (SELECT profile, count(*) AS days FROM told_days GROUP BY profile)
SELECT profile,
  unnest(['minutes.total', 'minutes.plays', 'minutes.days']) AS fact_id,
  unnest([sum(watched_ms) // 60000, sum(plays), coalesce(any_value(days), 0)]) AS number,
  NULL AS text
FROM told_titles LEFT JOIN watched USING (profile) GROUP BY profile
HAVING sum(watched_ms) > 0 OR sum(plays) > 0
""",
    "titles": """
WITH episodes AS (
  SELECT profile, count(*) AS episodes FROM told_titles
  WHERE watched_ms > 0 AND title IN (SELECT title FROM named WHERE kind = 'EPISODE')
  GROUP BY profile
), counts AS (
  SELECT profile, count(*) AS titles, count(*) FILTER (kind = 'MOVIE') AS movies,
    count(*) FILTER (kind = 'SERIES') AS series, coalesce(any_value(episodes), 0) AS episodes
  FROM wholes LEFT JOIN episodes USING (profile) GROUP BY profile
), most AS (
  SELECT profile, max((watched_ms, -whole), 5) AS best
  FROM wholes WHERE kind IS NOT NULL GROUP BY profile
), ranks AS (
  SELECT profile, unnest(best) AS one, generate_subscripts(best, 1) AS place FROM most
), placed AS (
  SELECT profile, place, one[1] AS watched_ms, title_id AS whole_id
  FROM ranks JOIN named ON named.title = -one[2]
)
SELECT profile,
  unnest(['titles.count', 'titles.movies', 'titles.series', 'titles.episodes']) AS fact_id,
  unnest([titles, movies, series, episodes]) AS number, NULL AS text
FROM counts
UNION ALL
SELECT profile, unnest(['titles.' || place, 'titles.' || place || '.minutes']),
  unnest([NULL, watched_ms // 60000]), unnest([whole_id, NULL])
FROM placed
""",
    "genres": """
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY profile ORDER BY watched_ms DESC, genre) AS place,
    count(*) OVER (PARTITION BY profile) AS genres
  FROM liked_genres QUALIFY place <= 5
)
SELECT profile,
  unnest(['genres.' || place, 'genres.' || place || '.minutes',
          CASE place WHEN 1 THEN 'genres.count' END]) AS fact_id,
  unnest([NULL, watched_ms // 60000, CASE place WHEN 1 THEN genres END]) AS number,
  unnest([genre, NULL, NULL]) AS text
FROM placed
""",
    "people": """
WITH sums AS (
  SELECT profile, number, sum(watched_ms)::BIGINT AS ms, count(*) AS titles
  FROM wholes JOIN credits USING (whole) GROUP BY profile, number
), most AS (
  SELECT profile, max((ms, -number, titles), 5) AS best FROM sums GROUP BY profile
), ranks AS (
  SELECT profile, unnest(best) AS one, generate_subscripts(best, 1) AS place FROM most
), placed AS (
  SELECT profile, place, one[1] AS ms, -one[2] AS number, one[3] AS titles FROM ranks
)
SELECT profile,
  unnest(['people.' || place, 'people.' || place || '.minutes', 'people.' || place || '.titles'])
    AS fact_id,
  unnest([NULL, ms // 60000, titles]) AS number, unnest([person, NULL, NULL]) AS text
FROM placed JOIN people USING (number)
""",
    "series": """
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY profile ORDER BY watched_ms DESC, whole) AS place
  FROM wholes WHERE kind = 'SERIES' QUALIFY place <= 3
), counted AS (
  SELECT profile, whole_id, place, placed.watched_ms AS ms,
    count(*) FILTER (seen.watched_ms > 0 AND title <> whole) AS episodes
  FROM placed JOIN told_titles AS seen USING (profile, whole) GROUP BY ALL
)
SELECT profile,
  unnest(['series.' || place, 'series.' || place || '.minutes', 'series.' || place || '.episodes'])
    AS fact_id,
  unnest([NULL, ms // 60000, episodes]) AS number, unnest([whole_id, NULL, NULL]) AS text
FROM counted
""",
    "rewatch": """
SELECT profile, unnest(['rewatch.title', 'rewatch.times']) AS fact_id,
  unnest([NULL, times]) AS number, unnest([title_id, NULL]) AS text
FROM (
  SELECT profile, title, completes AS times FROM told_titles
  WHERE completes >= 2 AND title IN (SELECT title FROM named WHERE kind IS NOT NULL)
  QUALIFY row_number() OVER (
    PARTITION BY profile ORDER BY completes DESC, watched_ms DESC, title) = 1
) JOIN named USING (title)
""",
    "night": """
SELECT profile, unnest(['night.percent', 'night.minutes']) AS fact_id,
  unnest([100 * sum(night_ms) // sum(watched_ms), sum(night_ms) // 60000]) AS number,
  NULL AS text
FROM told_titles GROUP BY profile HAVING sum(watched_ms) > 0
""",
    "release": """
WITH dates AS (
  SELECT profile, min(release_date) AS oldest, max(release_date) AS newest
  FROM wholes WHERE release_date IS NOT NULL GROUP BY profile
), dated AS (
  SELECT profile, oldest, newest, min(whole) FILTER (release_date = oldest) AS oldest_whole,
    min(whole) FILTER (release_date = newest) AS newest_whole
  FROM wholes JOIN dates USING (profile) GROUP BY profile, oldest, newest
)
SELECT profile, unnest(['release.oldest', 'release.oldest.date']) AS fact_id, NULL AS number,
  unnest([title_id, strftime(oldest, '%Y-%m-%d')]) AS text
FROM dated JOIN named ON named.title = oldest_whole
UNION ALL
SELECT profile, unnest(['release.newest', 'release.newest.date']), NULL,
  unnest([title_id, strftime(newest, '%Y-%m-%d')])
FROM dated JOIN named ON named.title = newest_whole
""",
    "binge": """
WITH gaps AS (
  SELECT profile, title, whole, watched_ms, day, place,
    lag(profile) OVER ordered IS DISTINCT FROM profile
    OR lag(whole) OVER ordered IS DISTINCT FROM whole
    OR occurred_ms - watched_ms - lag(occurred_ms) OVER ordered > 1800000 AS is_begin
  FROM told_events WHERE watched_ms > 0 WINDOW ordered AS (ORDER BY profile, place)
), followed AS (
  SELECT DISTINCT profile, whole FROM gaps
  WHERE NOT is_begin AND whole IN (SELECT title FROM named WHERE kind = 'SERIES')
), runs AS (
  SELECT *, sum(is_begin::INT)
    OVER (PARTITION BY profile, whole ORDER BY place ROWS UNBOUNDED PRECEDING) AS run
  FROM gaps JOIN followed USING (profile, whole)
), found AS (
  SELECT profile, whole, sum(watched_ms) AS ms,
    count(DISTINCT title) FILTER (title <> whole) AS episodes, arg_min(day, place) AS begun
  FROM runs GROUP BY profile, whole, run HAVING count(*) >= 3 AND episodes >= 3
  QUALIFY row_number() OVER (PARTITION BY profile ORDER BY ms DESC, min(place)) = 1
)
SELECT profile,
  unnest(['binge.title', 'binge.minutes', 'binge.episodes', 'binge.date']) AS fact_id,
  unnest([NULL, ms // 60000, episodes, NULL]) AS number,
  unnest([title_id, NULL, NULL, strftime(begun, '%Y-%m-%d')]) AS text
FROM found JOIN named ON named.title = found.whole
""",
    "edges": """
WITH plays AS (
  SELECT profile, arg_min((whole, day), place) AS first, arg_max((whole, day), place) AS last
  FROM told_events WHERE is_play GROUP BY profile
), edges AS (
  SELECT profile, unnest(['edges.first', 'edges.last']) AS edge, unnest([first, last]) AS play
  FROM plays
)
SELECT profile, unnest([edge, edge || '.date']) AS fact_id, NULL AS number,
  unnest([CASE WHEN kind IS NOT NULL THEN title_id END, strftime(play[2], '%Y-%m-%d')]) AS text
FROM edges JOIN named ON named.title = play[1]
""",
    "discoveries": """
WITH before AS (
  SELECT DISTINCT profile, whole FROM days
  WHERE watched_ms > 0 AND day < CAST($first_date AS DATE)
    AND ($first_date, $last_date) <> ('1970-01-01', '9999-12-31')
), fresh AS (
  SELECT *, row_number() OVER (PARTITION BY profile ORDER BY watched_ms DESC, genre) AS place,
    count(*) OVER (PARTITION BY profile) AS genres
  FROM liked_genres
  WHERE profile IN (SELECT profile FROM before)
    AND (profile, genre) NOT IN (
      SELECT (profile, genre) FROM before JOIN named ON named.title = before.whole
      JOIN title_genres USING (title_id))
  QUALIFY place <= 5
)
SELECT profile,
  unnest(['discoveries.' || place, 'discoveries.' || place || '.minutes',
          CASE place WHEN 1 THEN 'discoveries.count' END]) AS fact_id,
  unnest([NULL, watched_ms // 60000, CASE place WHEN 1 THEN genres END]) AS number,
  unnest([genre, NULL, NULL]) AS text
FROM fresh
""",
    "days": """
WITH by_day AS MATERIALIZED (
  SELECT profile, day, watched_ms AS ms, titles,
    day - lag(day) OVER (PARTITION BY profile ORDER BY day) AS gap,
    date_diff('day', DATE '1970-01-01', day)
      - row_number() OVER (PARTITION BY profile ORDER BY day) AS run
  FROM told_days
), most AS (
  SELECT profile, max(ms) AS ms, max(titles) AS titles FROM by_day GROUP BY profile
), longest AS (
  SELECT profile, ms, min(day) AS day
  FROM by_day JOIN most USING (profile, ms) GROUP BY profile, ms
), widest AS (
  SELECT profile, titles, min(day) AS day
  FROM by_day JOIN most USING (profile, titles) WHERE titles >= 3 GROUP BY profile, titles
), devoted AS (
  SELECT profile, day, whole, episodes FROM told_whole_days
  WHERE episodes >= 3 AND whole IN (SELECT title FROM named WHERE kind = 'SERIES')
  QUALIFY row_number() OVER (
    PARTITION BY profile ORDER BY episodes DESC, day, whole) = 1
), comeback AS (
  SELECT * FROM by_day WHERE gap > 14
  QUALIFY row_number() OVER (PARTITION BY profile ORDER BY gap DESC, day) = 1
), streak AS (
  SELECT profile, min(day) AS day, count(*) AS length FROM by_day
  GROUP BY profile, run HAVING length >= 3
  QUALIFY row_number() OVER (PARTITION BY profile ORDER BY length DESC, min(day)) = 1
)
SELECT profile, unnest(['days.longest', 'days.longest.minutes']) AS fact_id,
  unnest([NULL, ms // 60000]) AS number, unnest([strftime(day, '%Y-%m-%d'), NULL]) AS text
FROM longest
UNION ALL
SELECT profile, unnest(['days.widest', 'days.widest.titles']),
  unnest([NULL, titles]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM widest
UNION ALL
SELECT profile, unnest(['days.devoted', 'days.devoted.series', 'days.devoted.episodes']),
  unnest([NULL, NULL, episodes]), unnest([strftime(day, '%Y-%m-%d'), title_id, NULL])
FROM devoted JOIN named ON named.title = devoted.whole
UNION ALL
SELECT profile, unnest(['days.comeback', 'days.comeback.away_days']),
  unnest([NULL, gap - 1]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM comeback
UNION ALL
SELECT profile, unnest(['days.streak', 'days.streak.days']),
  unnest([NULL, length]), unnest([strftime(day, '%Y-%m-%d'), NULL]) FROM streak
""",
    "throwbacks": """
WITH seen AS (
  SELECT profile, whole, sum(watched_ms)::BIGINT AS ms, max(last_ms) AS last_ms
  FROM title_sums GROUP BY profile, whole
  HAVING sum(watched_ms) > 0 AND $cutoff_ms - max(last_ms) >= 15552000000
), twice AS (
  SELECT DISTINCT profile, whole FROM title_sums WHERE completes >= 2
), opinions AS (
  SELECT profile, title AS whole,
    arg_max(thumb, (occurred_ms, sequence, event_id)) FILTER (events.kind = 'THUMB') AS thumb,
    arg_max(rating_value / rating_scale, (occurred_ms, sequence, event_id))
      FILTER (events.kind = 'RATING') AS rating
  FROM events JOIN profile_numbers USING (profile_id) JOIN named USING (title_id)
  WHERE events.kind IN ('THUMB', 'RATING')
    AND occurred_ms <= $cutoff_ms AND recorded_ms <= $cutoff_ms
  GROUP BY profile, title
), placed AS (
  SELECT profile, whole, last_ms,
    row_number() OVER (PARTITION BY profile ORDER BY ms DESC, whole) AS place
  FROM seen LEFT JOIN opinions USING (profile, whole)
  WHERE whole IN (SELECT title FROM named WHERE kind IN ('MOVIE', 'SERIES'))
    AND thumb IS DISTINCT FROM 'DOWN' AND (thumb = 'UP' OR rating >= 0.8
    OR (profile, whole) IN (SELECT (profile, whole) FROM twice))
  QUALIFY place <= 5
), dated AS (
  SELECT profile, whole, place, max(day) AS last_day
  FROM placed JOIN days USING (profile, whole, last_ms) GROUP BY profile, whole, place
)
SELECT profile, unnest(['throwbacks.' || place, 'throwbacks.' || place || '.date']) AS fact_id,
  NULL AS number, unnest([title_id, strftime(last_day, '%Y-%m-%d')]) AS text
FROM dated JOIN named ON named.title = dated.whole
""",
    "taste": """
SELECT profile, 'taste.' || genre AS fact_id, watched_ms // 60000 AS number, NULL AS text
FROM liked_genres
""",
    "axes": """
WITH of_days AS (
  SELECT profile, count(*) AS days,
    coalesce(sum(watched_ms) FILTER (isodow(day) >= 6), 0) AS weekend_ms
  FROM told_days GROUP BY profile
), of_told AS (
  SELECT profile, sum(watched_ms) AS ms, sum(watched_ms) // 60000 AS minutes,
    sum(night_ms) AS night_ms, sum(plays) AS plays,
    sum(completes - 1) FILTER (completes > 0) AS repeats
  FROM told_titles GROUP BY profile HAVING sum(watched_ms) >= 60000
), of_wholes AS (
  SELECT profile, count(*) AS titles,
    coalesce(sum(watched_ms) FILTER (kind = 'SERIES'), 0) AS series_ms,
    coalesce(sum(watched_ms) FILTER (
      year(release_date) <= year(make_timestamp($cutoff_ms * 1000)) - 20), 0) AS vintage_ms
  FROM wholes GROUP BY profile
), of_genres AS (
  SELECT profile, count(*) AS genres FROM liked_genres GROUP BY profile
), found AS MATERIALIZED (
  SELECT profile, ms, minutes, night_ms, weekend_ms, series_ms, vintage_ms, days, plays, titles,
    coalesce(genres, 0) AS genres, coalesce(repeats, 0) AS repeats
  FROM of_told JOIN of_days USING (profile) JOIN of_wholes USING (profile)
    LEFT JOIN of_genres USING (profile)
)
SELECT profile,
  unnest(['axes.night', 'axes.weekend', 'axes.series', 'axes.variety', 'axes.vintage',
          'axes.intensity', 'axes.breadth', 'axes.repeat']) AS fact_id,
  unnest([1000 * night_ms // ms, 1000 * weekend_ms // ms, 1000 * series_ms // ms, genres,
          1000 * vintage_ms // ms, minutes // days, 60000 * titles // minutes,
          1000 * repeats // greatest(plays, 1)]) AS number,
  NULL AS text
FROM found
""",
}
