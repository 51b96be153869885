"""Counting: every fact by two programs, and only what both say is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from services.recap.year import comparison
from services.recap.year.cohort import Cohorts
from services.recap.year.fact import (
    BASE_STORIES,
    LEAST_FULL_DAYS,
    LEAST_FULL_MINUTES,
    LEAST_FULL_TITLES,
    UNTOLD_STORIES,
)
from services.recap.year.recap import Recap, Story
from services.recap.year.split import profile_of
from services.recap.year.stories import STORIES, count
from services.recap.year.watched import Watched

# What comparisons are made of.
_COMPARED: Final = ("taste", "axes")


class Verifier(Protocol):
    """The second program, over the same history."""

    def disagreeing(self, story: str, found: pl.DataFrame) -> list[str]:
        """Whose facts of a story are not those of the verifier, ascending by profile_id."""
        ...

    def disagreeing_comparisons(
        self,
        members: pl.DataFrame,
        taste: pl.DataFrame,
        axes: pl.DataFrame,
        cohorts: Cohorts,
        found: Mapping[str, pl.DataFrame],
    ) -> dict[str, list[str]]:
        """The same of stories of comparison of `members` (profile_id, country, minutes)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A story of many profiles."""

    facts: pl.DataFrame  # profile_id, fact_id, number, text
    disagreeing: tuple[str, ...]  # of these profiles no fact of the story is to be told


def count_story(story: str, watched: Watched, verifier: Verifier) -> Counted:
    """Count a story twice."""
    facts = count(story, watched)
    return agreed(facts, verifier.disagreeing(story, facts))


def agreed(facts: pl.DataFrame, disagreeing: Iterable[str]) -> Counted:
    """The facts of the others."""
    whose = tuple(disagreeing)
    if whose:
        facts = facts.filter(~pl.col("profile_id").is_in(whose))
    return Counted(facts, whose)


def full_members(stories: Mapping[str, Counted], countries: Mapping[str, str]) -> pl.DataFrame:
    """profile_id, country, minutes of the FULL viewers; `countries` is by profile."""
    told = pl.concat([stories[name].facts for name in BASE_STORIES]).filter(
        pl.col("fact_id").is_in(["minutes.total", "minutes.days", "titles.count"])
    )
    if told.is_empty():
        return pl.DataFrame(
            schema={"profile_id": pl.String(), "country": pl.String(), "minutes": pl.Int64()}
        )
    wide = told.pivot(
        on="fact_id",
        on_columns=["minutes.total", "minutes.days", "titles.count"],
        index="profile_id",
        values="number",
    )
    is_full = (
        (pl.col("titles.count") >= LEAST_FULL_TITLES)
        & (pl.col("minutes.total") >= LEAST_FULL_MINUTES)
        & (pl.col("minutes.days") >= LEAST_FULL_DAYS)
    )
    full = wide.filter(is_full).sort("profile_id")
    home = [countries.get(profile_of(name), "") for name in full["profile_id"].to_list()]
    return full.select(
        "profile_id", country=pl.Series(home, dtype=pl.String()), minutes="minutes.total"
    )


def compare(
    stories: Mapping[str, Counted], members: pl.DataFrame, cohorts: Cohorts, verifier: Verifier
) -> dict[str, Counted]:
    """The stories of comparison of `members`, counted twice over the verified facts."""
    taste, axes = (stories[name].facts for name in _COMPARED)
    found = {
        "country": comparison.country(members, taste, cohorts),
        "archetype": comparison.archetype(members, axes, cohorts),
    }
    differing = verifier.disagreeing_comparisons(members, taste, axes, cohorts, found)
    # Whose taste or axes the programs do not agree on is compared with nobody.
    unsure = {whose for name in _COMPARED for whose in stories[name].disagreeing}
    return {
        name: agreed(facts, sorted(unsure | set(differing[name]))) for name, facts in found.items()
    }


def recaps(stories: Mapping[str, Counted]) -> dict[str, Recap]:
    """The recap of every profile with anything to tell or not to tell, ascending."""
    found: dict[str, dict[str, Story]] = {}
    for name, counted in stories.items():
        if name in UNTOLD_STORIES:
            continue
        for profile_id in counted.disagreeing:
            found.setdefault(profile_id, {})[name] = None
        whose: str | None = None
        story: dict[str, int | str] = {}
        for profile_id, fact_id, number, text in counted.facts.iter_rows():
            if profile_id != whose:
                whose, story = profile_id, {}
                found.setdefault(profile_id, {})[name] = story
            story[fact_id] = text if number is None else number
    return {profile_id: Recap(found[profile_id]) for profile_id in sorted(found)}


def count_all(watched: Watched, verifier: Verifier) -> dict[str, Counted]:
    """All stories but those of comparison."""
    return {story: count_story(story, watched, verifier) for story in STORIES}
