"""The tables that facts are verified over, made by SQL of what an export and a catalogue hold.

`events` are the rows of an export with their `place` in it, and `compacted` its days, with what
was watched at night; `titles`, `title_genres` and `title_people` are the catalogue. Profiles and
titles are numbered in the order of their ids: numbers are cheaper to group by.
"""

from typing import Final

# Each is made from what is above it.
TABLES: Final = {
    "profile_numbers": """
SELECT row_number() OVER (ORDER BY profile_id)::INTEGER AS profile, profile_id
FROM (SELECT profile_id FROM events UNION SELECT profile_id FROM compacted)
""",
    "named": """
WITH ids AS (
  SELECT title_id FROM titles UNION SELECT parent_id FROM titles WHERE kind = 'EPISODE'
  UNION SELECT DISTINCT title_id FROM events WHERE title_id <> ''
  UNION SELECT title_id FROM compacted
), numbered AS (
  SELECT row_number() OVER (ORDER BY title_id)::INTEGER AS title, title_id, kind, release_date,
    CASE kind WHEN 'EPISODE' THEN parent_id ELSE title_id END AS whole_id
  FROM ids LEFT JOIN titles USING (title_id)
)
SELECT numbered.*, wholes.title AS whole
FROM numbered JOIN numbered AS wholes ON wholes.title_id = numbered.whole_id
""",
    "watching": """
SELECT profile, title, whole, is_play, is_complete, place, occurred_ms, sequence, watched_ms,
  CAST(wall AS DATE) AS day, hour(wall) >= 22 OR hour(wall) < 5 AS is_night
FROM (
  SELECT profile_id, title_id, kind = 'PLAY' AS is_play, kind = 'COMPLETE' AS is_complete, place,
    occurred_ms, sequence, to_ms - from_ms AS watched_ms,
    timezone(CASE time_zone WHEN '' THEN 'UTC' ELSE time_zone END,
      make_timestamptz(occurred_ms * 1000)) AS wall
  FROM events
  WHERE kind IN ('PLAY', 'PROGRESS', 'PAUSE', 'REWATCH', 'STOP', 'COMPLETE')
    AND occurred_ms <= $cutoff_ms AND recorded_ms <= $cutoff_ms
) JOIN profile_numbers USING (profile_id)
  JOIN (SELECT title_id, title, whole FROM named) USING (title_id)
""",
    "kept_days": """
SELECT profile, title, day, watched_ms, night_ms, play_count, complete_count,
  CASE WHEN watched_ms > 0 THEN last_ms END AS last_ms
FROM compacted JOIN profile_numbers USING (profile_id)
  JOIN (SELECT title_id, title FROM named) USING (title_id)
""",
    "days": """
SELECT sums.*, whole FROM (
  SELECT profile, title, day, sum(watched_ms)::BIGINT AS watched_ms,
    sum(night_ms)::BIGINT AS night_ms, sum(plays)::BIGINT AS plays,
    sum(completes)::BIGINT AS completes, max(last_ms) AS last_ms
  FROM (
    SELECT profile, title, day, watched_ms,
      CASE WHEN is_night THEN watched_ms ELSE 0 END AS night_ms,
      is_play::BIGINT AS plays, is_complete::BIGINT AS completes,
      CASE WHEN watched_ms > 0 THEN occurred_ms END AS last_ms
    FROM watching
    UNION ALL SELECT * FROM kept_days
  ) GROUP BY profile, title, day
) AS sums JOIN (SELECT title, whole FROM named) USING (title)
""",
    "title_sums": """
SELECT profile, title, whole, sum(watched_ms)::BIGINT AS watched_ms,
  sum(completes)::BIGINT AS completes, max(last_ms) AS last_ms
FROM days GROUP BY profile, title, whole
""",
    "told_profiles": """
SELECT profile FROM profile_numbers WHERE profile NOT IN (
  SELECT profile FROM kept_days
  WHERE day BETWEEN CAST($first_date AS DATE) AND CAST($last_date AS DATE))
""",
    "told_period": """
SELECT CAST($first_date AS DATE) AS first_day, CAST($last_date AS DATE) AS last_day
""",
    "told_titles": """
SELECT profile, title, whole, sum(watched_ms)::BIGINT AS watched_ms,
  sum(night_ms)::BIGINT AS night_ms, sum(plays)::BIGINT AS plays,
  sum(completes)::BIGINT AS completes
FROM days, told_period WHERE day BETWEEN first_day AND last_day GROUP BY profile, title, whole
""",
    "told_whole_days": """
SELECT profile, day, whole, sum(watched_ms)::BIGINT AS watched_ms,
  count(*) FILTER (title <> whole) AS episodes
FROM days, told_period WHERE watched_ms > 0 AND day BETWEEN first_day AND last_day
GROUP BY profile, day, whole
""",
    "told_days": """
SELECT profile, day, sum(watched_ms)::BIGINT AS watched_ms, count(*) AS titles
FROM told_whole_days GROUP BY profile, day
""",
    "wholes": """
SELECT profile, told.whole, watched_ms, title_id AS whole_id, kind, release_date
FROM (SELECT profile, whole, sum(watched_ms)::BIGINT AS watched_ms
      FROM told_titles GROUP BY profile, whole HAVING sum(watched_ms) > 0) AS told
JOIN named ON named.title = told.whole
""",
    "people": """
SELECT row_number() OVER (ORDER BY person) AS number, person
FROM (SELECT DISTINCT person FROM title_people)
""",
    "credits": """
SELECT title AS whole, number
FROM title_people JOIN people USING (person) JOIN named USING (title_id)
""",
    "liked_genres": """
SELECT profile, genre, sum(watched_ms)::BIGINT AS watched_ms
FROM wholes JOIN title_genres ON title_genres.title_id = whole_id
GROUP BY profile, genre
""",
}

# What is as cheap to read again as to keep.
VIEWS: Final = {
    "told_events": """
SELECT watching.* FROM watching, told_period
WHERE day BETWEEN first_day AND last_day AND profile IN (SELECT profile FROM told_profiles)
""",
}
# `place` numbers the rows that are `recorded`; here it is asked whether that is their order too.
# None is out of it, and no two of a profile are alike but for their ids, if this counts none.
DOUBTFUL: Final = """
SELECT count(*) FROM (
  SELECT profile, place, occurred_ms, sequence, lag(profile) OVER () AS profile_before,
    lag(place) OVER () AS place_before, lag(occurred_ms) OVER () AS occurred_before,
    lag(sequence) OVER () AS sequence_before
  FROM watching
) WHERE profile < profile_before OR (profile = profile_before AND (place <= place_before
  OR occurred_ms < occurred_before OR (occurred_ms = occurred_before
    AND sequence <= sequence_before)))
"""
# Else each is held against the one before it.
MISPLACED: Final = """
SELECT count(*) FROM (
  SELECT profile_id, occurred_ms, sequence, event_id, lag(profile_id) OVER () AS profile_before,
    lag(occurred_ms) OVER () AS occurred_before, lag(sequence) OVER () AS sequence_before,
    lag(event_id) OVER () AS event_before
  FROM recorded
) WHERE profile_id < profile_before OR (profile_id = profile_before AND (
  occurred_ms < occurred_before OR (occurred_ms = occurred_before AND (
    sequence < sequence_before OR (sequence = sequence_before AND event_id < event_before)))))
"""
