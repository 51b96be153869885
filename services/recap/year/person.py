"""The people who seem to share a profile, and the question which of them asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.recap.year.fact import Level, Problem, Value
from services.recap.year.people_words import PeopleWords
from services.recap.year.recap import ABOUT_STORY, EMPTY, Recap

KIDS: Final = "kids"
WHOLE: Final = ""  # of a profile that nobody else seems to share


@dataclass(frozen=True, slots=True)
class SharedPerson:
    """One of the people; `share_ratio` is of the minutes of all of them."""

    person_id: str
    description: str
    share_ratio: float
    is_kids: bool


def is_adults(kids: bool, maturity_limit_years: int | None) -> bool:
    """Whether a profile is assessed: one made for a child or a teenager stays whole."""
    return not kids and maturity_limit_years is None


def person_id(cluster: int, kids_cluster: int | None) -> str:
    """The id of a cluster; an adult's never becomes the children's, whatever is counted anew."""
    return KIDS if cluster == kids_cluster else f"adult-{cluster + 1}"


def people(recaps: Mapping[str, Recap], words: PeopleWords) -> tuple[SharedPerson, ...]:
    """Those with anything to tell in the period, in the order of their ids; `recaps` by id."""
    told = {who: one for who, one in sorted(recaps.items()) if one.level()[0] is not Level.NONE}
    minutes = {who: _minutes(one) for who, one in told.items()}
    total = sum(minutes.values())
    return tuple(
        SharedPerson(
            who,
            _description(one.stories.get(ABOUT_STORY) or EMPTY, words, is_kids=who == KIDS),
            minutes[who] / total if total else 0.0,
            who == KIDS,
        )
        for who, one in told.items()
    )


def most_told(recaps: Mapping[str, Recap]) -> tuple[Level, Problem | None]:
    """The most that there is to tell of anybody, and why it is nothing."""
    levels = [one.level() for _, one in sorted(recaps.items())]
    for most in (Level.FULL, Level.LITE):
        if (most, None) in levels:
            return most, None
    return levels[0]


def _minutes(recap: Recap) -> int:
    minutes = (recap.stories.get("minutes") or EMPTY).get("minutes.total", 0)
    return minutes if isinstance(minutes, int) else 0


def _description(about: Mapping[str, Value], words: PeopleWords, *, is_kids: bool) -> str:
    genre, more = about.get("about.genre", ""), about.get("about.more", "")
    parts = [
        words.kids if is_kids else "",
        words.dayparts.get(str(about.get("about.daypart", "")), ""),
        words.devices.get(str(about.get("about.device", "")), ""),
        words.mostly.format(genre=genre) if genre else "",
        words.more.format(genre=more) if more else "",
    ]
    return words.between.join(part for part in parts if part)
