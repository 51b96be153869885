"""Every fact of a diary, counted as the README defines it: the second program of one profile.

DuckDB counts the same of many profiles (queries.py); neither shares anything with the engine.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from libs.domain.title import Title, TitleKind
from services.recap.year.diary import Diary, Entry, TitleDay

Facts: TypeAlias = dict[str, int | str]

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_PAUSE_MS: Final = 30 * 60_000
_UNSEEN_MS: Final = 180 * 24 * 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What most facts are read from."""

    diary: Diary
    told: list[tuple[str, int, TitleDay]]  # title, day and what was watched, of the period
    watched_ms: int
    wholes: dict[str, int]  # ms > 0 of each
    genres: dict[str, int]

    def known(self, title_id: str) -> Title | None:
        return self.diary.titles.get(title_id)

    def kind(self, title_id: str) -> TitleKind | None:
        title = self.known(title_id)
        return None if title is None else title.kind


def facts(diary: Diary) -> dict[str, Facts]:
    """By story, those of comparison not among them."""
    told = diary.told()
    spent: dict[str, int] = defaultdict(int)
    for _, _, one in told:
        spent[one.whole_id] += one.watched_ms
    wholes = {whole_id: ms for whole_id, ms in spent.items() if ms > 0}
    genres = _shared(wholes, lambda whole_id: _genres(diary.titles.get(whole_id)))
    sums = _Sums(diary, told, sum(spent.values()), wholes, genres)
    return {story: count(sums) for story, count in _STORIES.items()}


def _minutes(sums: _Sums) -> Facts:
    plays = sum(one.plays for _, _, one in sums.told)
    if not (sums.watched_ms > 0 or plays):
        return {}
    return {
        "minutes.total": sums.watched_ms // 60_000,
        "minutes.plays": plays,
        "minutes.days": len({day for _, day, one in sums.told if one.watched_ms > 0}),
    }


def _titles(sums: _Sums) -> Facts:
    if not sums.wholes:
        return {}
    kinds = [sums.kind(whole_id) for whole_id in sums.wholes]
    episodes = {
        title_id
        for title_id, _, one in sums.told
        if one.watched_ms > 0 and sums.kind(title_id) is TitleKind.EPISODE
    }
    top = _most(sums.wholes, 5, lambda whole_id: sums.known(whole_id) is not None)
    return {
        "titles.count": len(kinds),
        "titles.movies": kinds.count(TitleKind.MOVIE),
        "titles.series": kinds.count(TitleKind.SERIES),
        "titles.episodes": len(episodes),
        **_placed("titles", top),
    }


def _genre_facts(sums: _Sums) -> Facts:
    if not sums.genres:
        return {}
    return {"genres.count": len(sums.genres), **_placed("genres", _most(sums.genres, 5))}


def _people(sums: _Sums) -> Facts:
    names: dict[str, set[str]] = {}
    for whole_id in sums.wholes:
        title = sums.known(whole_id)
        names[whole_id] = {one.name for one in title.people if one.name} if title else set()
    top = _most(_shared(sums.wholes, names.__getitem__), 5)
    return _placed("people", top) | {
        f"people.{place}.titles": sum(name in those for those in names.values())
        for place, (name, _) in enumerate(top, 1)
    }


def _series(sums: _Sums) -> Facts:
    parts: dict[str, set[str]] = defaultdict(set)
    for title_id, _, one in sums.told:
        if one.watched_ms > 0 and title_id != one.whole_id:
            parts[one.whole_id].add(title_id)
    top = _most(sums.wholes, 3, lambda whole_id: sums.kind(whole_id) is TitleKind.SERIES)
    return _placed("series", top) | {
        f"series.{place}.episodes": len(parts[whole_id])
        for place, (whole_id, _) in enumerate(top, 1)
    }


def _binge(sums: _Sums) -> Facts:
    runs: list[list[Entry]] = []
    for entry in sums.diary.entries:
        if entry.watched_ms <= 0:
            continue
        before = runs[-1][-1] if runs else None
        if (
            before is None
            or before.whole_id != entry.whole_id
            or entry.occurred_ms - entry.watched_ms - before.occurred_ms > _PAUSE_MS
        ):
            runs.append([])
        runs[-1].append(entry)
    best: tuple[int, int, list[Entry]] | None = None
    for run in runs:
        whole_id = run[0].whole_id
        if len(run) < 3 or sums.kind(whole_id) is not TitleKind.SERIES:
            continue
        episodes = len({entry.title_id for entry in run} - {whole_id})
        watched_ms = sum(entry.watched_ms for entry in run)
        if episodes >= 3 and (best is None or watched_ms > best[0]):
            best = watched_ms, episodes, run
    if best is None:
        return {}
    watched_ms, episodes, run = best
    return {
        "binge.title": run[0].whole_id,
        "binge.minutes": watched_ms // 60_000,
        "binge.episodes": episodes,
        "binge.date": _date(run[0].day),
    }


def _rewatch(sums: _Sums) -> Facts:
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


def _night(sums: _Sums) -> Facts:
    if sums.watched_ms <= 0:
        return {}
    night_ms = sum(one.night_ms for _, _, one in sums.told)
    return {
        "night.percent": 100 * night_ms // sums.watched_ms,
        "night.minutes": night_ms // 60_000,
    }


def _release(sums: _Sums) -> Facts:
    dated = [
        (title.release_date, whole_id)
        for whole_id in sums.wholes
        if (title := sums.known(whole_id)) is not None and title.release_date is not None
    ]
    if not dated:
        return {}
    oldest = min(dated)
    newest = min(dated, key=lambda one: (-one[0].toordinal(), one[1]))
    return {
        "release.oldest": oldest[1],
        "release.oldest.date": oldest[0].isoformat(),
        "release.newest": newest[1],
        "release.newest.date": newest[0].isoformat(),
    }


def _edges(sums: _Sums) -> Facts:
    plays = [entry for entry in sums.diary.entries if entry.kind == "PLAY"]
    if not plays:
        return {}
    found: Facts = {}
    for name, play in (("first", plays[0]), ("last", plays[-1])):
        found[f"edges.{name}.date"] = _date(play.day)
        if sums.known(play.whole_id) is not None:
            found[f"edges.{name}"] = play.whole_id
    return found


def _discoveries(sums: _Sums) -> Facts:
    diary = sums.diary
    before = {
        one.whole_id
        for (_, day), one in diary.days.items()
        if one.watched_ms > 0 and day < diary.period.first_number
    }
    if diary.period.is_lifetime or not before:
        return {}
    known = {genre for whole_id in before for genre in _genres(sums.known(whole_id))}
    fresh = {genre: ms for genre, ms in sums.genres.items() if genre not in known}
    if not fresh:
        return {}
    return {"discoveries.count": len(fresh), **_placed("discoveries", _most(fresh, 5))}


def _days(sums: _Sums) -> Facts:
    spent: dict[int, int] = defaultdict(int)
    parts: dict[tuple[int, str], int] = defaultdict(int)
    for title_id, day, one in sums.told:
        if one.watched_ms > 0:
            spent[day] += one.watched_ms
            parts[day, one.whole_id] += title_id != one.whole_id
    if not spent:
        return {}
    wholes: dict[int, int] = defaultdict(int)
    for day, _ in parts:
        wholes[day] += 1
    longest = min(spent, key=lambda day: (-spent[day], day))
    widest = min(wholes, key=lambda day: (-wholes[day], day))
    found: Facts = {
        "days.longest": _date(longest),
        "days.longest.minutes": spent[longest] // 60_000,
    }
    if wholes[widest] >= 3:
        found |= {"days.widest": _date(widest), "days.widest.titles": wholes[widest]}
    devoted = [
        (-episodes, day, whole_id)
        for (day, whole_id), episodes in parts.items()
        if episodes >= 3 and sums.kind(whole_id) is TitleKind.SERIES
    ]
    if devoted:
        episodes, day, whole_id = min(devoted)
        found |= {
            "days.devoted": _date(day),
            "days.devoted.series": whole_id,
            "days.devoted.episodes": -episodes,
        }
    return found | _rows_of_days(sorted(spent))


def _rows_of_days(days: Sequence[int]) -> Facts:
    """The longest time away, and the longest run of days, of days that ascend."""
    found: Facts = {}
    away, back = 0, 0
    length, most, begun = 0, 0, 0
    for place, day in enumerate(days):
        gap = day - days[place - 1] if place else 0
        if gap - 1 > away:
            away, back = gap - 1, day
        length = length + 1 if gap == 1 else 1
        if length > most:
            most, begun = length, day - length + 1
    if away >= 14:
        found |= {"days.comeback": _date(back), "days.comeback.away_days": away}
    if most >= 3:
        found |= {"days.streak": _date(begun), "days.streak.days": most}
    return found


def _throwbacks(sums: _Sums) -> Facts:
    diary = sums.diary
    spent: dict[str, int] = defaultdict(int)
    last: dict[str, tuple[int, int]] = {}
    completes: dict[str, int] = defaultdict(int)
    for (title_id, day), one in diary.days.items():
        whole_id = one.whole_id
        spent[whole_id] += one.watched_ms
        completes[title_id] += one.completes
        if one.last_ms is not None:
            last[whole_id] = max(last.get(whole_id, (one.last_ms, day)), (one.last_ms, day))
    twice = {diary.whole_id(title_id) for title_id, count in completes.items() if count >= 2}

    def is_loved(whole_id: str) -> bool:
        if sums.kind(whole_id) not in (TitleKind.MOVIE, TitleKind.SERIES):
            return False
        if diary.cutoff_ms - last[whole_id][0] < _UNSEEN_MS:
            return False
        said = diary.opinions.get(whole_id)
        if said is None:
            return whole_id in twice
        is_liked = said.thumb == "UP" or (said.rating is not None and said.rating >= 0.8)
        return said.thumb != "DOWN" and (is_liked or whole_id in twice)

    watched = {whole_id: ms for whole_id, ms in spent.items() if ms > 0}
    found: Facts = {}
    for place, (whole_id, _) in enumerate(_most(watched, 5, is_loved), 1):
        found[f"throwbacks.{place}"] = whole_id
        found[f"throwbacks.{place}.date"] = _date(last[whole_id][1])
    return found


def _taste(sums: _Sums) -> Facts:
    return {f"taste.{genre}": ms // 60_000 for genre, ms in sums.genres.items()}


def _axes(sums: _Sums) -> Facts:
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


_STORIES: Final[Mapping[str, Callable[[_Sums], Facts]]] = {
    "minutes": _minutes,
    "titles": _titles,
    "genres": _genre_facts,
    "people": _people,
    "series": _series,
    "binge": _binge,
    "rewatch": _rewatch,
    "night": _night,
    "release": _release,
    "edges": _edges,
    "discoveries": _discoveries,
    "days": _days,
    "throwbacks": _throwbacks,
    "taste": _taste,
    "axes": _axes,
}


def _genres(title: Title | None) -> set[str]:
    return set() if title is None else {genre for genre in title.genres if genre}


def _shared(wholes: Mapping[str, int], of: Callable[[str], Iterable[str]]) -> dict[str, int]:
    """All that was watched of a whole for each of what it has."""
    found: dict[str, int] = defaultdict(int)
    for whole_id, ms in wholes.items():
        for one in of(whole_id):
            found[one] += ms
    return dict(found)


def _most(
    spent: Mapping[str, int], most: int, is_told: Callable[[str], bool] = lambda _: True
) -> list[tuple[str, int]]:
    """The first so many of those to be told, most ms first, then by code points."""
    ordered = sorted(spent.items(), key=lambda one: (-one[1], one[0]))
    return [one for one in ordered if is_told(one[0])][:most]


def _placed(name: str, top: Sequence[tuple[str, int]]) -> Facts:
    found: Facts = {}
    for place, (value, ms) in enumerate(top, 1):
        found[f"{name}.{place}"] = value
        found[f"{name}.{place}.minutes"] = ms // 60_000
    return found


def _date(day: int) -> str:
    return dt.date.fromordinal(_EPOCH + day).isoformat()
