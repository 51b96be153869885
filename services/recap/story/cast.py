"""Who was met in the story so far, and how they relate as last seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from libs.domain.beat import Beat, Relation

MOST_CHARACTERS: Final = 50
MOST_RELATIONS: Final = 100


@dataclass(frozen=True, slots=True)
class Met:
    """A character by the name that is known so far."""

    name: str
    beat_count: int
    last_place: int  # of the episode in the series


@dataclass(frozen=True, slots=True)
class Cast:
    """The characters, the most important first, and the relations among them, the latest first."""

    characters: tuple[Met, ...]
    relations: tuple[Relation, ...]


NOBODY: Final = Cast((), ())


def cast_of(beats: Iterable[tuple[int, Beat]]) -> Cast:
    """Everybody in known beats, which come in the order of the story with their episode's place.

    Importance is the sum of that of the beats that somebody is in. Of two people the relation that
    was seen last holds.
    """
    counts: dict[str, int] = {}
    importances: dict[str, float] = {}
    last: dict[str, int] = {}
    relations: dict[tuple[str, str], Relation] = {}
    for place, beat in beats:
        for name in _names(beat):
            counts[name] = counts.get(name, 0) + 1
            importances[name] = importances.get(name, 0.0) + beat.importance
            last[name] = place
        for relation in beat.relations:
            pair = (relation.from_character, relation.to_character)
            relations.pop(pair, None)  # the latest comes last
            relations[pair] = relation
    names = sorted(counts, key=lambda name: (-importances[name], -counts[name], name))
    kept = set(names[:MOST_CHARACTERS])
    among = [one for pair, one in reversed(relations.items()) if kept.issuperset(pair)]
    return Cast(
        tuple(Met(name, counts[name], last[name]) for name in names[:MOST_CHARACTERS]),
        tuple(among[:MOST_RELATIONS]),
    )


def _names(beat: Beat) -> Iterable[str]:
    related = (name for one in beat.relations for name in (one.from_character, one.to_character))
    return dict.fromkeys((*beat.characters, *related))
