"""Titles: what can be watched."""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from libs.domain.identifiers import check_country, check_id, check_text, check_word
from libs.faults import InvalidField

# Titles for children: what may be shown when the kids flag is set.
KIDS_MATURITY_YEARS: Final = 7


class TitleKind(IntEnum):
    """What sort of thing a title is; numbers are those of the contract."""

    MOVIE = 1
    SERIES = 2
    EPISODE = 3
    EXTRA = 4
    LIVE = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who took part, and as what ("director", "cast")."""

    name: str
    role: str = "cast"


@dataclass(frozen=True, slots=True)
class LicenceWindow:
    """May be shown in `country` ("" is everywhere) from start_ms until before end_ms (0: open)."""

    country: str = ""
    start_ms: int = 0
    end_ms: int = 0

    def __post_init__(self) -> None:
        check_country("licence_windows.country", self.country)
        if self.end_ms and self.end_ms <= self.start_ms:
            raise InvalidField("licence_windows.end_time", "must be after start_time")


@dataclass(frozen=True, slots=True)
class Title:
    """One entry of the catalogue. Without licence windows it may be shown everywhere, always."""

    title_id: str
    kind: TitleKind
    name: str
    synopsis: str = ""
    parent_id: str = ""
    season_number: int = 0
    episode_number: int = 0
    duration_ms: int = 0
    release_date: dt.date | None = None
    language: str = ""
    country: str = ""
    people: tuple[Person, ...] = ()
    maturity_years: int = 0
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    licence_windows: tuple[LicenceWindow, ...] = ()

    def __post_init__(self) -> None:
        check_id("title_id", self.title_id)
        if not self.name:
            raise InvalidField("name", "must not be empty")
        check_text("name", self.name, 512)
        check_text("synopsis", self.synopsis, 8192)
        check_word("language", self.language, 35)
        check_country("country", self.country)
        self._check_place()
        self._check_lists()
        if not 0 <= self.duration_ms <= 30 * 86_400_000:
            raise InvalidField("duration_ms", "must be from 0 to 30 days")
        if not 0 <= self.maturity_years <= 21:
            raise InvalidField("maturity_years", "must be from 0 to 21")

    def _check_place(self) -> None:
        if self.parent_id:
            check_id("parent_id", self.parent_id)
        elif self.kind is TitleKind.EPISODE:
            raise InvalidField("parent_id", "an episode needs its series")
        if self.parent_id == self.title_id:
            raise InvalidField("parent_id", "must be another title")
        if min(self.season_number, self.episode_number) < 0:
            raise InvalidField("episode_number", "must not be negative, nor may season_number")

    def _check_lists(self) -> None:
        for field, values, most in (("genres", self.genres, 16), ("tags", self.tags, 64)):
            if len(values) > most:
                raise InvalidField(field, f"must have at most {most}")
            for value in values:
                check_id(field, value)
        if len(self.people) > 64:
            raise InvalidField("people", "must have at most 64")
        if len(self.licence_windows) > 512:
            raise InvalidField("licence_windows", "must have at most 512")
