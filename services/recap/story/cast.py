"""Who was met in the story so far, and how they relate as last seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, eq=False)
class CastColumns:
    """Who is in which of n beats: an entry for each name in each beat, and for each relation."""

    names: tuple[str, ...]
    name_rows: NDArray[np.int64]  # (k,) the beat
    name_codes: NDArray[np.int64]  # (k,) the name
    relations: tuple[Relation, ...]  # (r,) in the order of their beats
    relation_rows: NDArray[np.int64]  # (r,) the beat
    importances: NDArray[np.float64]  # (n,) of the beats

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All of its columns."""
        return self.name_rows, self.name_codes, self.relation_rows, self.importances

    def of(self, known: NDArray[np.intp], places: NDArray[np.int64]) -> Cast:
        """Everybody in the beats `known` (h,), which are in the order of the story.

        `places` (h,) are those of their episodes. Importance is the sum of that of the beats that
        somebody is in. Of two people the relation that was seen last holds.
        """
        ranks = np.full(len(self.importances), -1)
        ranks[known] = np.arange(len(known))
        entries = np.flatnonzero(ranks[self.name_rows] >= 0)
        codes, rows = self.name_codes[entries], self.name_rows[entries]
        counts = np.bincount(codes, minlength=len(self.names))
        worth = np.bincount(codes, self.importances[rows], minlength=len(self.names))
        last = np.zeros(len(self.names), np.int64)
        np.maximum.at(last, codes, ranks[rows])
        met = sorted(
            np.flatnonzero(counts).tolist(),
            key=lambda code: (-worth[code], -counts[code], self.names[code]),
        )[:MOST_CHARACTERS]
        return Cast(
            tuple(
                Met(self.names[code], int(counts[code]), int(places[last[code]])) for code in met
            ),
            self._last_relations(ranks, {self.names[code] for code in met}),
        )

    def _last_relations(self, ranks: NDArray[np.int64], kept: set[str]) -> tuple[Relation, ...]:
        """Of each pair within `kept` the last one, the latest pair first."""
        of_rank = ranks[self.relation_rows]
        entries = np.flatnonzero(of_rank >= 0)
        latest = entries[np.argsort(of_rank[entries], kind="stable")][::-1]
        found: dict[tuple[str, str], Relation] = {}
        for entry in latest.tolist():
            relation = self.relations[entry]
            pair = (relation.from_character, relation.to_character)
            if pair not in found and kept.issuperset(pair):
                found[pair] = relation
                if len(found) == MOST_RELATIONS:
                    break
        return tuple(found.values())


def cast_columns(beats: Sequence[Beat]) -> CastColumns:
    """Who is in which of these beats."""
    code_of: dict[str, int] = {}
    entries = [
        (row, code_of.setdefault(name, len(code_of)))
        for row, beat in enumerate(beats)
        for name in _names(beat)
    ]
    table = np.array(entries, np.int64).reshape(-1, 2)
    relations = [(row, one) for row, beat in enumerate(beats) for one in beat.relations]
    return CastColumns(
        tuple(code_of),
        table[:, 0],
        table[:, 1],
        tuple(one for _, one in relations),
        np.array([row for row, _ in relations], np.int64),
        np.array([beat.importance for beat in beats], np.float64),
    )


def _names(beat: Beat) -> Iterable[str]:
    related = (name for one in beat.relations for name in (one.from_character, one.to_character))
    return dict.fromkeys((*beat.characters, *related))
