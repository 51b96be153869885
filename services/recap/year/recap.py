"""A recap: the verified facts of one profile and period, and what they amount to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.recap.year.fact import (
    BASE_STORIES,
    LEAST_FULL_DAYS,
    LEAST_FULL_MINUTES,
    LEAST_FULL_TITLES,
    TOLD_STORIES,
    Level,
    Problem,
    Value,
    check_fact,
)

_JSON: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
# What tells one person of a shared profile from another; in no card.
ABOUT_STORY: Final = "about"

# By fact id; None where the two programs that counted it do not agree.
Story: TypeAlias = Mapping[str, Value] | None


@dataclass(frozen=True, slots=True)
class Recap:
    """Stories by name; one that is not here has nothing to tell."""

    stories: Mapping[str, Story]

    def to_json(self) -> str:
        """The text of it; equal recaps have one text."""
        return _JSON.encode(
            {name: story if story is None else dict(story) for name, story in self.stories.items()}
        )

    @staticmethod
    def of_json(text: str) -> "Recap":
        """What `to_json` wrote; raises ValueError for anything else."""
        stories = json.loads(text)
        if not isinstance(stories, dict):
            raise ValueError("no recap: must be an object")
        for name, story in stories.items():
            try:
                _check(name, story)
            except ValueError as error:
                raise ValueError(f"no recap: story {name[:64]!r}: {error}") from None
        return Recap(stories)

    def level(self) -> tuple[Level, Problem | None]:
        """How much there is to tell, and why it is nothing."""
        if any(self.stories.get(name, EMPTY) is None for name in BASE_STORIES):
            return Level.NONE, Problem.FACTS_DISAGREE
        facts = {
            fact_id: value
            for name in BASE_STORIES
            for fact_id, value in (self.stories.get(name) or EMPTY).items()
        }
        if not facts:
            about = self.stories.get(ABOUT_STORY) or EMPTY
            is_compacted = about.get("about.compacted") == "within"
            return Level.NONE, Problem.COMPACTED if is_compacted else Problem.NO_PLAYS
        is_full = (
            _number(facts, "titles.count") >= LEAST_FULL_TITLES
            and _number(facts, "minutes.total") >= LEAST_FULL_MINUTES
            and _number(facts, "minutes.days") >= LEAST_FULL_DAYS
        )
        return (Level.FULL if is_full else Level.LITE), None


def _check(name: str, story: object) -> None:
    if name not in (*TOLD_STORIES, ABOUT_STORY):
        raise ValueError("there is none of that name")
    if story is None:
        return
    if not isinstance(story, dict):
        raise ValueError("must be an object or null")
    for fact_id, value in story.items():
        if name != ABOUT_STORY:
            check_fact(name, fact_id, value)
        elif not isinstance(value, str):
            raise ValueError(f"{fact_id} is a text")


EMPTY: Final[Mapping[str, Value]] = {}


def _number(facts: Mapping[str, Value], fact_id: str) -> int:
    value = facts.get(fact_id, 0)
    return value if isinstance(value, int) else 0
