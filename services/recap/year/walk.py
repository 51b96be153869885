"""The verifier of one profile: every fact counted a second time, by a walk over its events."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import polars as pl

from libs.domain.title import Title
from services.recap.ports import HeldHistory
from services.recap.year.cohort import Cohorts
from services.recap.year.diary import diaries
from services.recap.year.diary_comparison import compared
from services.recap.year.diary_facts import facts
from services.recap.year.diary_sums import Facts
from services.recap.year.period import Period

# Fact id, number and text; one of the two is None.
_Row: TypeAlias = tuple[str, int | None, str | None]


class Walk:
    """Facts by story and viewer, to hold others against."""

    def __init__(self, counted: Mapping[str, Mapping[str, Facts]]) -> None:
        self.counted: Final = counted  # by viewer, then by story

    @staticmethod
    def of(
        held: HeldHistory,
        titles: Mapping[str, Title],
        wall: tuple[list[int], list[int]],
        period: Period,
        cutoff_ms: int,
        whose: pl.DataFrame,
    ) -> "Walk":
        """Walk through a history.

        `wall` is the day and the hour of each event, by a WallClock; `whose` tells the people of a
        shared profile apart, as Split does.
        """
        viewers = {
            (session_id, title_id): viewer_id
            for session_id, title_id, viewer_id in whose.select(
                "session_id", "title_id", "viewer_id"
            ).iter_rows()
        }
        found = diaries(
            held.events,
            wall,
            held.days,
            titles,
            period,
            cutoff_ms,
            held.profile_id,
            viewers or None,
        )
        return Walk({viewer_id: facts(diary) for viewer_id, diary in found.items()})

    def disagreeing(self, story: str, found: pl.DataFrame) -> list[str]:
        """Whose facts of a story are not those of this walk, ascending by viewer."""
        return _differing(found, {who: one[story] for who, one in self.counted.items()})

    def disagreeing_comparisons(
        self,
        members: pl.DataFrame,
        taste: pl.DataFrame,
        axes: pl.DataFrame,
        cohorts: Cohorts,
        found: Mapping[str, pl.DataFrame],
    ) -> dict[str, list[str]]:
        """Whose facts of each story of comparison are not those that follow from the others."""
        liked, placed = _values(taste), _values(axes)
        counted = {
            who: compared(country, minutes, liked.get(who, {}), placed.get(who, {}), cohorts)
            for who, country, minutes in members.iter_rows()
        }
        return {
            story: _differing(one, {who: told[story] for who, told in counted.items()})
            for story, one in found.items()
        }


def _differing(found: pl.DataFrame, counted: Mapping[str, Facts]) -> list[str]:
    """A fact too many, too few or twice, or of another value."""
    said = _by_viewer(found)
    return sorted(
        who
        for who in said.keys() | counted.keys()
        if Counter(said.get(who, ())) != Counter(_rows(counted.get(who, {})))
    )


def _rows(facts: Facts) -> Iterator[_Row]:
    for fact_id, value in facts.items():
        yield (fact_id, value, None) if isinstance(value, int) else (fact_id, None, value)


def _by_viewer(found: pl.DataFrame) -> dict[str, list[_Row]]:
    said: dict[str, list[_Row]] = {}
    for who, *row in found.iter_rows():
        said.setdefault(who, []).append(tuple(row))
    return said


def _values(found: pl.DataFrame) -> dict[str, Facts]:
    """By viewer; of facts that have been agreed on."""
    said: dict[str, Facts] = {}
    for who, fact_id, number, text in found.iter_rows():
        said.setdefault(who, {})[fact_id] = text if number is None else number
    return said
