"""The facts of a diary about when: runs, days, firsts and lasts, and what was long ago."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from libs.domain.title import TitleKind
from services.recap.year.diary import Entry
from services.recap.year.diary_sums import DiarySums, Facts, date_text, genres_of, most_of, placed

_PAUSE_MS: Final = 30 * 60_000
_UNSEEN_MS: Final = 180 * 24 * 3_600_000


def binge(sums: DiarySums) -> Facts:
    """The longest run of three episodes of a series or more, without a pause."""
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
        "binge.date": date_text(run[0].day),
    }


def release(sums: DiarySums) -> Facts:
    """The oldest and the newest title."""
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


def edges(sums: DiarySums) -> Facts:
    """The first and the last play."""
    plays = [entry for entry in sums.diary.entries if entry.kind == "PLAY"]
    if not plays:
        return {}
    found: Facts = {}
    for name, play in (("first", plays[0]), ("last", plays[-1])):
        found[f"edges.{name}.date"] = date_text(play.day)
        if sums.known(play.whole_id) is not None:
            found[f"edges.{name}"] = play.whole_id
    return found


def discoveries(sums: DiarySums) -> Facts:
    """Genres that were never watched before the period."""
    diary = sums.diary
    before = {
        one.whole_id
        for (_, day), one in diary.days.items()
        if one.watched_ms > 0 and day < diary.period.first_number
    }
    if diary.period.is_lifetime or not before:
        return {}
    known = {genre for whole_id in before for genre in genres_of(sums.known(whole_id))}
    fresh = {genre: ms for genre, ms in sums.genres.items() if genre not in known}
    if not fresh:
        return {}
    return {"discoveries.count": len(fresh), **placed("discoveries", most_of(fresh, 5))}


def days(sums: DiarySums) -> Facts:
    """Days that stand out."""
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
        "days.longest": date_text(longest),
        "days.longest.minutes": spent[longest] // 60_000,
    }
    if wholes[widest] >= 3:
        found |= {"days.widest": date_text(widest), "days.widest.titles": wholes[widest]}
    devoted = [
        (-episodes, day, whole_id)
        for (day, whole_id), episodes in parts.items()
        if episodes >= 3 and sums.kind(whole_id) is TitleKind.SERIES
    ]
    if devoted:
        episodes, day, whole_id = min(devoted)
        found |= {
            "days.devoted": date_text(day),
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
        found |= {"days.comeback": date_text(back), "days.comeback.away_days": away}
    if most >= 3:
        found |= {"days.streak": date_text(begun), "days.streak.days": most}
    return found


def throwbacks(sums: DiarySums) -> Facts:
    """What was loved, and not seen for 180 days."""
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
    for place, (whole_id, _) in enumerate(most_of(watched, 5, is_loved), 1):
        found[f"throwbacks.{place}"] = whole_id
        found[f"throwbacks.{place}.date"] = date_text(last[whole_id][1])
    return found
