"""Every fact of a diary, counted as the README defines it: the second program of one profile.

DuckDB counts the same of many profiles (queries.py); neither shares anything with the engine.
"""

from collections.abc import Callable, Mapping
from typing import Final

from services.recap.year import diary_amounts, diary_moments
from services.recap.year.diary import Diary
from services.recap.year.diary_sums import DiarySums, Facts

_STORIES: Final[Mapping[str, Callable[[DiarySums], Facts]]] = {
    "minutes": diary_amounts.minutes,
    "titles": diary_amounts.titles,
    "genres": diary_amounts.genres,
    "people": diary_amounts.people,
    "series": diary_amounts.series,
    "binge": diary_moments.binge,
    "rewatch": diary_amounts.rewatch,
    "night": diary_amounts.night,
    "release": diary_moments.release,
    "edges": diary_moments.edges,
    "discoveries": diary_moments.discoveries,
    "days": diary_moments.days,
    "throwbacks": diary_moments.throwbacks,
    "taste": diary_amounts.taste,
    "axes": diary_amounts.axes,
}


def facts(diary: Diary) -> dict[str, Facts]:
    """By story, those of comparison not among them."""
    sums = DiarySums.of(diary)
    return {story: count(sums) for story, count in _STORIES.items()}
