"""Facts and cards: what a recap tells, and the evidence of each number and name in it."""

import datetime as dt
import functools
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from services.recap.year.comparison import COMPARISON_QUERIES
from services.recap.year.queries import QUERIES

Value: TypeAlias = int | str

# What everything else rests on: without them there is no level and no recap.
BASE_STORIES: Final = ("minutes", "titles")
# Counted for comparisons, told of only there.
UNTOLD_STORIES: Final = ("taste", "axes")
COHORT_STORIES: Final = ("country", "archetype")
TOLD_STORIES: Final = (*(name for name in QUERIES if name not in UNTOLD_STORIES), *COHORT_STORIES)

LEAST_FULL_TITLES: Final = 5
LEAST_FULL_MINUTES: Final = 300
LEAST_FULL_DAYS: Final = 3


class Level(Enum):
    """How much there is to tell."""

    FULL = "full"
    LITE = "lite"
    NONE = "none"


class Problem(Enum):
    """Why there is nothing to tell."""

    NO_PLAYS = "no plays"
    UNKNOWN_PROFILE = "unknown profile"
    NOT_PERSONALIZED = "not personalized"
    FACTS_DISAGREE = "facts disagree"
    COMPACTED = "compacted"


class FactKind(Enum):
    """What the value of a fact is."""

    NUMBER = "number"
    TEXT = "text"
    TITLE = "title"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, what it counts, and the SQL that gives it."""

    fact_id: str
    value: Value
    kind: FactKind
    unit: str
    query: str


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to tell; the texts are rendered from the facts alone."""

    card_id: str
    headline: str
    text: str
    facts: tuple[Fact, ...]
    title_ids: tuple[str, ...]
    is_shareable: bool


# By fact id, a place as "#": what the value is, and the unit of a number.
_FACTS: Final[dict[str, tuple[FactKind, str]]] = {
    "minutes.total": (FactKind.NUMBER, "minutes"),
    "minutes.days": (FactKind.NUMBER, "days"),
    "minutes.plays": (FactKind.NUMBER, "plays"),
    "titles.count": (FactKind.NUMBER, "titles"),
    "titles.movies": (FactKind.NUMBER, "titles"),
    "titles.series": (FactKind.NUMBER, "titles"),
    "titles.episodes": (FactKind.NUMBER, "episodes"),
    "titles.#": (FactKind.TITLE, ""),
    "titles.#.minutes": (FactKind.NUMBER, "minutes"),
    "genres.count": (FactKind.NUMBER, "genres"),
    "genres.#": (FactKind.TEXT, ""),
    "genres.#.minutes": (FactKind.NUMBER, "minutes"),
    "people.#": (FactKind.TEXT, ""),
    "people.#.minutes": (FactKind.NUMBER, "minutes"),
    "people.#.titles": (FactKind.NUMBER, "titles"),
    "series.#": (FactKind.TITLE, ""),
    "series.#.minutes": (FactKind.NUMBER, "minutes"),
    "series.#.episodes": (FactKind.NUMBER, "episodes"),
    "binge.title": (FactKind.TITLE, ""),
    "binge.minutes": (FactKind.NUMBER, "minutes"),
    "binge.episodes": (FactKind.NUMBER, "episodes"),
    "binge.date": (FactKind.DATE, ""),
    "rewatch.title": (FactKind.TITLE, ""),
    "rewatch.times": (FactKind.NUMBER, "times"),
    "night.percent": (FactKind.NUMBER, "percent"),
    "night.minutes": (FactKind.NUMBER, "minutes"),
    "release.oldest": (FactKind.TITLE, ""),
    "release.oldest.date": (FactKind.DATE, ""),
    "release.newest": (FactKind.TITLE, ""),
    "release.newest.date": (FactKind.DATE, ""),
    "edges.first": (FactKind.TITLE, ""),
    "edges.first.date": (FactKind.DATE, ""),
    "edges.last": (FactKind.TITLE, ""),
    "edges.last.date": (FactKind.DATE, ""),
    "discoveries.count": (FactKind.NUMBER, "genres"),
    "discoveries.#": (FactKind.TEXT, ""),
    "discoveries.#.minutes": (FactKind.NUMBER, "minutes"),
    "days.longest": (FactKind.DATE, ""),
    "days.longest.minutes": (FactKind.NUMBER, "minutes"),
    "days.widest": (FactKind.DATE, ""),
    "days.widest.titles": (FactKind.NUMBER, "titles"),
    "days.devoted": (FactKind.DATE, ""),
    "days.devoted.series": (FactKind.TITLE, ""),
    "days.devoted.episodes": (FactKind.NUMBER, "episodes"),
    "days.comeback": (FactKind.DATE, ""),
    "days.comeback.away_days": (FactKind.NUMBER, "days"),
    "days.streak": (FactKind.DATE, ""),
    "days.streak.days": (FactKind.NUMBER, "days"),
    "throwbacks.#": (FactKind.TITLE, ""),
    "throwbacks.#.date": (FactKind.DATE, ""),
    "country.code": (FactKind.TEXT, ""),
    "country.percentile": (FactKind.NUMBER, "percent"),
    "country.genre": (FactKind.TEXT, ""),
    "country.genre.tenths": (FactKind.NUMBER, "tenths"),
    "archetype.name": (FactKind.TEXT, ""),
    "archetype.first": (FactKind.TEXT, ""),
    "archetype.first.value": (FactKind.NUMBER, ""),
    "archetype.first.average": (FactKind.NUMBER, ""),
    "archetype.second": (FactKind.TEXT, ""),
    "archetype.second.value": (FactKind.NUMBER, ""),
    "archetype.second.average": (FactKind.NUMBER, ""),
}
_PLACE: Final = re.compile(r"\.\d+")


# Of one of several people who share a profile: a row of the story's query is of a viewer.
_OF_PERSON: Final = """SELECT fact_id, number, text FROM (
{query}
){whose}
WHERE profile_id = $profile_id || chr(10) || '{person_id}'"""


@functools.lru_cache(maxsize=4096)
def _named(fact_id: str) -> tuple[FactKind, str]:
    try:
        return _FACTS[_PLACE.sub(".#", fact_id, count=1)]
    except KeyError:
        raise ValueError(f"there is no fact {fact_id[:64]!r}") from None


def check_fact(story: str, fact_id: str, value: object) -> None:
    """Raise ValueError where a story has no fact of that id, or the fact no such value."""
    kind, _ = _named(fact_id)
    if fact_id.partition(".")[0] != story:
        raise ValueError(f"{fact_id} is none of {story}")
    if type(value) is not (int if kind is FactKind.NUMBER else str):
        raise ValueError(f"{fact_id} is a {kind.value}")
    if kind is FactKind.DATE:
        dt.date.fromisoformat(str(value))


def fact(story: str, fact_id: str, value: Value, person_id: str = "") -> Fact:
    """The fact of that id in a story, of the whole profile or of a person."""
    kind, unit = _named(fact_id)
    query = QUERIES[story] if story in QUERIES else COMPARISON_QUERIES[story]
    query = query.strip()
    if person_id:
        whose = " JOIN profile_numbers USING (profile)" if story in QUERIES else ""
        escaped = person_id.replace("'", "''")
        query = _OF_PERSON.format(query=query, whose=whose, person_id=escaped)
    return Fact(fact_id, value, kind, unit, query)
