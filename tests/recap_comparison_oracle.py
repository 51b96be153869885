"""Comparisons of recaps a third time, in plain SQL over what `tests.recap_oracle` has made.

`p` is what was watched in the period, `of_whole` and `of_genre` are sums of it; like that module
it is written from the README alone.
"""

from typing import Final

# FULL viewers, who are compared with one another: in their country, and on axes in all of them.
MEMBERS: Final = """
CREATE TABLE members AS
SELECT seen.profile_id, minutes, days, titles, plays, coalesce(country, '') AS country
FROM (
  SELECT profile_id, floor(sum(ms) / 60000)::BIGINT AS minutes,
    count(DISTINCT if(ms > 0, day, NULL)) AS days, count(if(kind = 'PLAY', 1, NULL)) AS plays
  FROM p GROUP BY profile_id
) AS seen
JOIN (SELECT profile_id, count(*) AS titles FROM of_whole GROUP BY 1) USING (profile_id)
LEFT JOIN (SELECT profile_id AS owner, country FROM read_parquet('{export}/profiles.parquet'))
  ON owner = split_part(seen.profile_id, chr(10), 1)
WHERE titles >= 5 AND minutes >= 300 AND days >= 3;
CREATE TABLE countries AS
SELECT country, count(*) AS n, sum(minutes)::BIGINT AS total,
  list(minutes ORDER BY minutes) AS ranked
FROM members WHERE country <> '' GROUP BY country HAVING count(*) >= 50;
CREATE TABLE spent AS
SELECT profile_id, country, genre, floor(ms / 60000)::BIGINT AS spent
FROM of_genre JOIN members USING (profile_id);
CREATE TABLE parts AS
SELECT country, genre, 1000000 * sum(spent)::BIGINT // any_value(total) AS parts
FROM spent JOIN countries USING (country) GROUP BY country, genre;
CREATE TABLE axes AS
WITH sums AS (
  SELECT profile_id, sum(ms) AS ms, sum(if(hour >= 22 OR hour <= 4, ms, 0)) AS night,
    sum(if(dayname(day) IN ('Saturday', 'Sunday'), ms, 0)) AS weekend
  FROM p GROUP BY 1
), of_wholes AS (
  SELECT profile_id, sum(if(whole_kind = 'SERIES', ms, 0)) AS series,
    sum(if(date_part('year', released) + 20 <= date_part('year', to_timestamp({cutoff_ms} / 1000)
      AT TIME ZONE 'UTC'), ms, 0)) AS vintage
  FROM of_whole GROUP BY 1
), again AS (
  SELECT profile_id, sum(times - 1) AS again FROM (
    SELECT profile_id, title_id, count(*) AS times FROM p WHERE kind = 'COMPLETE' GROUP BY ALL)
  GROUP BY 1
), kinds AS (SELECT profile_id, count(*) AS genres FROM of_genre GROUP BY 1)
UNPIVOT (
  SELECT profile_id, floor(1000 * night / ms)::BIGINT AS night,
    floor(1000 * weekend / ms)::BIGINT AS weekend, floor(1000 * series / ms)::BIGINT AS series,
    coalesce(genres, 0)::BIGINT AS variety, floor(1000 * vintage / ms)::BIGINT AS vintage,
    floor(minutes / days)::BIGINT AS intensity, floor(60000 * titles / minutes)::BIGINT AS breadth,
    floor(1000 * coalesce(again, 0) / greatest(plays, 1))::BIGINT AS repeat
  FROM members JOIN sums USING (profile_id) JOIN of_wholes USING (profile_id)
    LEFT JOIN again USING (profile_id) LEFT JOIN kinds USING (profile_id)
) ON night, weekend, series, variety, vintage, intensity, breadth, repeat
INTO NAME axis VALUE x;
CREATE TABLE scores AS
WITH sums AS (
  SELECT axis, count(*)::HUGEINT AS n, sum(x) AS one, sum(x * x) AS two FROM axes GROUP BY axis
  HAVING n >= 50
), usual AS (
  SELECT axis, 1000 * one // n AS mean,
    floor(sqrt((1000000 * (n * two - one * one) // (n * n))::DOUBLE))::HUGEINT AS deviation
  FROM sums
)
SELECT profile_id, axis, x, mean // 1000 AS average, if(deviation = 0, 0, least(3000,
    1000 * abs(1000 * x - mean) // deviation) * if(1000 * x < mean, -1, 1)) AS score
FROM axes JOIN usual USING (axis);
CREATE TABLE prototypes AS FROM (VALUES
  (1, 'night_owl', 'night', 1, 'intensity', 1), (2, 'weekender', 'weekend', 1, 'intensity', 1),
  (3, 'devotee', 'series', 1, 'breadth', -1), (4, 'explorer', 'variety', 1, 'breadth', 1),
  (5, 'time_traveller', 'vintage', 1, 'variety', 1), (6, 'film_lover', 'series', -1, 'vintage', 1),
  (7, 'comfort_seeker', 'repeat', 1, 'variety', -1), (8, 'marathoner', 'intensity', 1, 'series', 1),
  (9, 'sampler', 'breadth', 1, 'intensity', -1), (10, 'regular', 'night', -1, 'weekend', -1)
) AS t (place, name, first, first_sign, second, second_sign);
"""

# profile_id and the values of these facts; of the first row of each profile.
COMPARISONS: Final = {
    ("country.code", "country.percentile"): """
SELECT profile_id, country, coalesce((
  SELECT max(percent) FROM range(1, 100) AS r (percent)
  WHERE ranked[ceil(percent * n / 100)::INT] < minutes), 0)
FROM members JOIN countries USING (country)
""",
    ("country.genre", "country.genre.tenths"): """
SELECT profile_id, genre, spent::HUGEINT * 10000000 // (minutes * parts) AS tenths
FROM spent JOIN parts USING (country, genre) JOIN members USING (profile_id)
WHERE spent >= 60 AND parts > 0 AND tenths >= 11 ORDER BY tenths DESC, spent DESC, genre
""",
    (
        "archetype.name",
        "archetype.first",
        "archetype.first.value",
        "archetype.first.average",
        "archetype.second",
        "archetype.second.value",
        "archetype.second.average",
    ): """
SELECT a.profile_id, name, first, a.x, a.average, second, b.x, b.average
FROM prototypes, scores AS a, scores AS b
WHERE a.axis = first AND b.axis = second AND a.profile_id = b.profile_id
ORDER BY first_sign * a.score + second_sign * b.score DESC, place
""",
}
