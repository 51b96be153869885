"""What was watched by title, whole and genre: what the facts of a diary are read from."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from libs.domain.title import Title, TitleKind
from services.recap.year.diary import Diary, TitleDay

Facts: TypeAlias = dict[str, int | str]

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class DiarySums:
    """What most facts are read from."""

    diary: Diary
    told: list[tuple[str, int, TitleDay]]  # title, day and what was watched, of the period
    watched_ms: int
    wholes: dict[str, int]  # ms > 0 of each
    genres: dict[str, int]

    @classmethod
    def of(cls, diary: Diary) -> "DiarySums":
        """All sums of one diary."""
        told = diary.told()
        spent: dict[str, int] = defaultdict(int)
        for _, _, one in told:
            spent[one.whole_id] += one.watched_ms
        wholes = {whole_id: ms for whole_id, ms in spent.items() if ms > 0}
        genres = shared(wholes, lambda whole_id: genres_of(diary.titles.get(whole_id)))
        return cls(diary, told, sum(spent.values()), wholes, genres)

    def known(self, title_id: str) -> Title | None:
        """The title, if the catalogue has it."""
        return self.diary.titles.get(title_id)

    def kind(self, title_id: str) -> TitleKind | None:
        """Its kind, if the catalogue has it."""
        title = self.known(title_id)
        return None if title is None else title.kind


def genres_of(title: Title | None) -> set[str]:
    """Those of a title that have a name."""
    return set() if title is None else {genre for genre in title.genres if genre}


def shared(wholes: Mapping[str, int], of: Callable[[str], Iterable[str]]) -> dict[str, int]:
    """All that was watched of a whole for each of what it has."""
    found: dict[str, int] = defaultdict(int)
    for whole_id, ms in wholes.items():
        for one in of(whole_id):
            found[one] += ms
    return dict(found)


def most_of(
    spent: Mapping[str, int], most: int, is_told: Callable[[str], bool] = lambda _: True
) -> list[tuple[str, int]]:
    """The first so many of those to be told, most ms first, then by code points."""
    ordered = sorted(spent.items(), key=lambda one: (-one[1], one[0]))
    return [one for one in ordered if is_told(one[0])][:most]


def placed(name: str, top: Sequence[tuple[str, int]]) -> Facts:
    """Names and minutes by place."""
    found: Facts = {}
    for place, (value, ms) in enumerate(top, 1):
        found[f"{name}.{place}"] = value
        found[f"{name}.{place}.minutes"] = ms // 60_000
    return found


def date_text(day: int) -> str:
    """The ISO date of a day since 1970."""
    return dt.date.fromordinal(_EPOCH + day).isoformat()
