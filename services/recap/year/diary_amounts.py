"""The facts of a diary about how much of what was watched."""

import datetime as dt
from collections import defaultdict

from libs.domain.title import TitleKind
from services.recap.year.diary_sums import DiarySums, Facts, most_of, placed, shared


def minutes(sums: DiarySums) -> Facts:
    """How much was watched, in how many plays, on how many days."""
    plays = sum(one.plays for _, _, one in sums.told)
    if not (sums.watched_ms > 0 or plays):
        return {}
    return {
        "minutes.total": sums.watched_ms // 60_000,
        "minutes.plays": plays,
        "minutes.days": len({day for _, day, one in sums.told if one.watched_ms > 0}),
    }


def titles(sums: DiarySums) -> Facts:
    """How many titles, and those watched most."""
    if not sums.wholes:
        return {}
    kinds = [sums.kind(whole_id) for whole_id in sums.wholes]
    episodes = {
        title_id
        for title_id, _, one in sums.told
        if one.watched_ms > 0 and sums.kind(title_id) is TitleKind.EPISODE
    }
    top = most_of(sums.wholes, 5, lambda whole_id: sums.known(whole_id) is not None)
    return {
        "titles.count": len(kinds),
        "titles.movies": kinds.count(TitleKind.MOVIE),
        "titles.series": kinds.count(TitleKind.SERIES),
        "titles.episodes": len(episodes),
        **placed("titles", top),
    }


def genres(sums: DiarySums) -> Facts:
    """The genres watched most."""
    if not sums.genres:
        return {}
    return {"genres.count": len(sums.genres), **placed("genres", most_of(sums.genres, 5))}


def people(sums: DiarySums) -> Facts:
    """The people seen most, and in how many titles."""
    names: dict[str, set[str]] = {}
    for whole_id in sums.wholes:
        title = sums.known(whole_id)
        names[whole_id] = {one.name for one in title.people if one.name} if title else set()
    top = most_of(shared(sums.wholes, names.__getitem__), 5)
    return placed("people", top) | {
        f"people.{place}.titles": sum(name in those for those in names.values())
        for place, (name, _) in enumerate(top, 1)
    }


def series(sums: DiarySums) -> Facts:
    """The series watched most."""
    parts: dict[str, set[str]] = defaultdict(set)
    for title_id, _, one in sums.told:
        if one.watched_ms > 0 and title_id != one.whole_id:
            parts[one.whole_id].add(title_id)
    top = most_of(sums.wholes, 3, lambda whole_id: sums.kind(whole_id) is TitleKind.SERIES)
    return placed("series", top) | {
        f"series.{place}.episodes": len(parts[whole_id])
        for place, (whole_id, _) in enumerate(top, 1)
    }


def rewatch(sums: DiarySums) -> Facts:
    """What was watched to its end most often."""
    times: dict[str, int] = defaultdict(int)
    spent: dict[str, int] = defaultdict(int)
    for title_id, _, one in sums.told:
        times[title_id] += one.completes
        spent[title_id] += one.watched_ms
    often = [
        (-count, -spent[title_id], title_id)
        for title_id, count in times.items()
        if count >= 2 and sums.known(title_id) is not None
    ]
    if not often:
        return {}
    count, _, title_id = min(often)
    return {"rewatch.title": title_id, "rewatch.times": -count}


def night(sums: DiarySums) -> Facts:
    """How much of it at night."""
    if sums.watched_ms <= 0:
        return {}
    night_ms = sum(one.night_ms for _, _, one in sums.told)
    return {
        "night.percent": 100 * night_ms // sums.watched_ms,
        "night.minutes": night_ms // 60_000,
    }


def taste(sums: DiarySums) -> Facts:
    """Minutes of each genre."""
    return {f"taste.{genre}": ms // 60_000 for genre, ms in sums.genres.items()}


def axes(sums: DiarySums) -> Facts:
    """Where it stands on the axes of archetypes, in thousandths but for the counts."""
    total_ms = sums.watched_ms
    if total_ms < 60_000:
        return {}
    vintage = dt.datetime.fromtimestamp(sums.diary.cutoff_ms / 1000, dt.UTC).year - 20
    series_ms = vintage_ms = 0
    for whole_id, ms in sums.wholes.items():
        title = sums.known(whole_id)
        if title is not None and title.kind is TitleKind.SERIES:
            series_ms += ms
        if title is not None and title.release_date and title.release_date.year <= vintage:
            vintage_ms += ms
    completes: dict[str, int] = defaultdict(int)
    for title_id, _, one in sums.told:
        completes[title_id] += one.completes
    repeats = sum(times - 1 for times in completes.values() if times)
    # 1970-01-01 was a Thursday.
    weekend_ms = sum(one.watched_ms for _, day, one in sums.told if (day + 3) % 7 >= 5)
    days = {day for _, day, one in sums.told if one.watched_ms > 0}
    plays = sum(one.plays for _, _, one in sums.told)
    night_ms = sum(one.night_ms for _, _, one in sums.told)
    return {
        "axes.night": 1000 * night_ms // total_ms,
        "axes.weekend": 1000 * weekend_ms // total_ms,
        "axes.series": 1000 * series_ms // total_ms,
        "axes.variety": len(sums.genres),
        "axes.vintage": 1000 * vintage_ms // total_ms,
        "axes.intensity": total_ms // 60_000 // len(days),
        "axes.breadth": 60_000 * len(sums.wholes) // (total_ms // 60_000),
        "axes.repeat": 1000 * repeats // max(plays, 1),
    }
