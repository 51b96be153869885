"""Plans: what of each card leaves, fact by fact, and how it is designed.

This is the allowlist: a card or a fact that is not here never leaves, whatever the recap says;
that of a quiz is in `quiz_cards`.
Dates are not here, nor is where somebody was; of a remarkable day only what made it one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from services.recap.share.shared_card import CardKind


class Names(Enum):
    """What the names of a list are."""

    TITLES = "titles"
    GENRES = "genres"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to tell a card; `words` names its texts. All fact ids that it uses are here."""

    words: str
    kind: CardKind
    figure: str = ""
    numbers: tuple[str, ...] = ()  # that the text may tell
    names: tuple[str, ...] = ()
    named: Names = Names.TITLES
    least_names: int = 0


def _places(card_id: str, most: int) -> tuple[str, ...]:
    return tuple(f"{card_id}.{place}" for place in range(1, most + 1))


_COUNTS: Final = ("titles.movies", "titles.series")

# By card: the first plan whose figure, numbers and names are there is told.
PLANS: Final[Mapping[str, tuple[Plan, ...]]] = MappingProxyType(
    {
        "minutes": (
            Plan("minutes", CardKind.FIGURE, "minutes.total", ("minutes.days", "minutes.plays")),
        ),
        "titles": (
            Plan(
                "titles", CardKind.LIST, numbers=_COUNTS, names=_places("titles", 5), least_names=2
            ),
            Plan("title_count", CardKind.FIGURE, "titles.count", _COUNTS),
        ),
        "genres": (
            Plan(
                "genres",
                CardKind.LIST,
                names=_places("genres", 5),
                named=Names.GENRES,
                least_names=1,
            ),
        ),
        "people": (
            Plan(
                "people",
                CardKind.LIST,
                names=_places("people", 5),
                named=Names.PEOPLE,
                least_names=1,
            ),
        ),
        "series": (Plan("series", CardKind.LIST, names=_places("series", 3), least_names=1),),
        "binge": (
            Plan(
                "binge",
                CardKind.DAY,
                "binge.episodes",
                ("binge.minutes",),
                ("binge.title",),
            ),
        ),
        "rewatch": (
            Plan(
                "rewatch", CardKind.FIGURE, "rewatch.times", names=("rewatch.title",), least_names=1
            ),
        ),
        "night": (Plan("night", CardKind.FIGURE, "night.percent"),),
        "release": (
            Plan(
                "release",
                CardKind.LIST,
                names=("release.oldest", "release.newest"),
                least_names=2,
            ),
        ),
        "discoveries": (
            Plan(
                "discoveries",
                CardKind.LIST,
                names=_places("discoveries", 5),
                named=Names.GENRES,
                least_names=1,
            ),
        ),
        "days": (
            Plan(
                "devoted",
                CardKind.DAY,
                "days.devoted.episodes",
                names=("days.devoted.series",),
                least_names=1,
            ),
            Plan("streak", CardKind.DAY, "days.streak.days"),
            Plan("longest", CardKind.DAY, "days.longest.minutes"),
        ),
        "archetype": (Plan("archetype", CardKind.ARCHETYPE, "archetype.name"),),
    }
)

# Of a curated quiz: titles of its slate. What its pack says of the viewer is no fact and no name.
QUIZ_PLANS: Final[Mapping[str, tuple[Plan, ...]]] = MappingProxyType(
    {"tonight": (Plan("tonight", CardKind.LIST, names=_places("tonight", 5), least_names=1),)}
)
