"""Questions about a taste, and the answers that a history gives to them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title

# Options of a question about one title.
LIKED: Final = "liked"
SEEN: Final = "seen"
NOT_SEEN: Final = "not_seen"
TITLE_OPTIONS: Final = (LIKED, SEEN, NOT_SEEN)

NO_ANSWER: Final = -1

# Of two titles, in how many years what they have in common fades to 1/e.
_LIKENESS_YEARS: Final = 10.0
# Of a count: below one title there is only chance.
_LEAST_VARIANCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Facet:
    """Some of the catalogue: of a genre, of the years from first to last, or near to a title.

    `usual_share` is of what profiles watch; what is above it is a taste of one's own. Near to a
    title it is 0: nobody knows what is usual, and the nearer one is told as it is.
    """

    usual_share: float
    genre: str = ""
    first_year: int = 0
    last_year: int = 0
    near_title_id: str = ""

    def weight(self, title: Title, titles: Mapping[str, Title]) -> float:
        """How much a title belongs to it, 0 to 1; `titles` is the catalogue."""
        if self.near_title_id:
            near = titles.get(self.near_title_id)
            return 0.0 if near is None else likeness(near, title)
        if self.genre:
            return float(self.genre in title.genres)
        year = title.release_date.year if title.release_date else 0
        return float(self.first_year <= year <= self.last_year and year > 0)


def likeness(one: Title, other: Title) -> float:
    """How alike two titles are to whoever knows no more than their genres and years, 0 to 1.

    Jaccard's index of the genres, which fades with the years between them.
    """
    mine, others = set(one.genres), set(other.genres)
    common = len(mine & others) / max(len(mine | others), 1)
    if not (one.release_date and other.release_date):
        return common
    years = abs(one.release_date.year - other.release_date.year)
    return common * math.exp(-years / _LIKENESS_YEARS)


@dataclass(frozen=True, slots=True)
class TasteQuestion:
    """Asks about one title (the options are TITLE_OPTIONS), or which of some facets one prefers."""

    question_id: str
    kind: str  # "title", "genre", "era" or "pair"
    title_id: str = ""
    facets: tuple[Facet, ...] = ()
    # What is taken off the bits it tells: they may be of titles that no list would show.
    cost_bits: float = 0.0

    @property
    def title_ids(self) -> tuple[str, ...]:
        """The titles that it names."""
        named = (self.title_id, *(facet.near_title_id for facet in self.facets))
        return tuple(title_id for title_id in named if title_id)

    @property
    def option_ids(self) -> tuple[str, ...]:
        """In the order of the model's columns."""
        if self.title_id:
            return TITLE_OPTIONS
        return tuple(f"o{place}" for place in range(len(self.facets)))


@dataclass(frozen=True, slots=True, eq=False)
class AnswerBook:
    """Knows what each history answers; n titles, q questions, f facets in all."""

    title_rows: NDArray[np.int64]  # (q,) of what a question asks about; -1 for facets
    starts: NDArray[np.int64]  # (q,) the first facet of a question
    counts: NDArray[np.int64]  # (q,) its facets; 0 for a title
    usual: NDArray[np.float32]  # (f,)
    members: NDArray[np.float32]  # (n, f) how much a title belongs to a facet

    @classmethod
    def of(
        cls,
        questions: Sequence[TasteQuestion],
        title_ids: Sequence[str],
        titles: Mapping[str, Title],
    ) -> "AnswerBook":
        """The book of `questions` over the titles of `title_ids` (n,)."""
        row_of = {title_id: row for row, title_id in enumerate(title_ids)}
        facets = [facet for question in questions for facet in question.facets]
        counts = np.array([len(question.facets) for question in questions], dtype=np.int64)
        kinds = list(dict.fromkeys(facets))
        place_of = {facet: place for place, facet in enumerate(kinds)}
        held = np.zeros((len(title_ids), len(kinds)), dtype=np.float32)
        for row, title_id in enumerate(title_ids):
            title = titles.get(title_id)
            if title is not None:
                held[row] = [facet.weight(title, titles) for facet in kinds]
        return cls(
            title_rows=np.array([row_of.get(one.title_id, -1) for one in questions], np.int64),
            starts=np.cumsum(counts) - counts,
            counts=counts,
            usual=np.array([facet.usual_share for facet in facets], dtype=np.float32),
            members=held[:, [place_of[facet] for facet in facets]],
        )

    def answers(self, seen: NDArray[np.float32], liked: NDArray[np.float32]) -> NDArray[np.int64]:
        """The option (p, q) that each of p histories gives; NO_ANSWER where it says nothing.

        `seen` and `liked` (p, n) are 1 where it is so. Of facets the one is preferred that
        exceeds its usual share most, beyond what chance does; where none does it says nothing.
        """
        found = np.full((len(seen), len(self.counts)), NO_ANSWER, dtype=np.int64)
        about = np.flatnonzero(self.title_rows >= 0)
        rows = self.title_rows[about]
        found[:, about] = np.where(liked[:, rows] > 0, 0, np.where(seen[:, rows] > 0, 1, 2))
        watched = seen.sum(axis=1, keepdims=True)
        expected = watched * self.usual
        # In standard deviations of a count, so that a rare facet is not preferred by chance.
        surplus = (seen @ self.members - expected) / np.sqrt(expected + _LEAST_VARIANCE)
        says = np.flatnonzero(watched[:, 0] > 0)
        for place in np.flatnonzero(self.counts).tolist():
            start = int(self.starts[place])
            own = surplus[says, start : start + int(self.counts[place])]
            is_even = own.max(axis=1) <= own.min(axis=1)
            found[says, place] = np.where(is_even, NO_ANSWER, own.argmax(axis=1))
        return found
