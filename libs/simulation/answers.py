"""How a simulated viewer answers a question about tonight: from the truth, and sometimes wrong.

Nothing here knows how a quiz takes answers: errors fall on what lies near, not evenly, and an
answer comes from how a title is, not from the tags that a catalogue has for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.simulation.catalogue import Catalogue
from libs.simulation.moods import ATTRIBUTES
from libs.simulation.wishes import Wish
from libs.simulation.words import GENRES

_GENRE: Final = "genre:"
_GENRE_ROW: Final = {genre.name: row for row, genre in enumerate(GENRES)}
_ATTRIBUTE_ROW: Final = {name: row for row, name in enumerate(ATTRIBUTES)}
_FIRST_GENRE: Final = 3.0
_SECOND_GENRE: Final = 1.5
_AMONG: Final = 4.0  # what it counts that the title one wants is among an option's
_CLOSENESS: Final = 6.0  # nats for each unit of the cosine to an option's titles
_NO_DIFFERENCE: Final = 0.15  # options that differ by less are all the same to the viewer
_NEAR_ERRORS: Final = 1.0  # errors go by softmax of the scores, as steep as this


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer: an attribute, or the titles that it stands for, or both.

    `attribute` is a mood, energy or company tag such as "mood:dark", or "genre:Drama"; it counts
    where every option of the question has one that is known, else the titles count.
    """

    attribute: str = ""
    title_ids: frozenset[str] = frozenset()


def true_answer(catalogue: Catalogue, wish: Wish, options: Sequence[Option]) -> int | None:
    """The place of the option that fits the wish best; None: they are all the same to the viewer.

    Raises ValueError where the options are told neither by known attributes nor by titles.
    """
    scores = _scores(catalogue, wish.row, options)
    if len(scores) > 1 and np.ptp(scores) < _NO_DIFFERENCE:
        return None
    return int(np.argmax(scores))


def answer(
    catalogue: Catalogue,
    wish: Wish,
    options: Sequence[Option],
    error_rate: float,
    rng: np.random.Generator,
) -> int | None:
    """The viewer's answer: the true one, but with probability `error_rate` another option.

    Errors fall on options that fit nearly as well more often than on others.
    """
    if not 0 <= error_rate <= 1:
        raise ValueError("error_rate must be from 0 to 1")
    truth = true_answer(catalogue, wish, options)
    is_wrong = rng.random() < error_rate
    if not is_wrong or len(options) < 2:
        return truth
    odds = np.exp(_NEAR_ERRORS * _standardised(_scores(catalogue, wish.row, options)))
    if truth is not None:
        odds[truth] = 0.0
    return int(rng.choice(len(odds), p=odds / odds.sum()))


def _scores(catalogue: Catalogue, row: int, options: Sequence[Option]) -> NDArray[np.float64]:
    """(options,): how well each fits the title at `row`."""
    if not options:
        raise ValueError("a question needs options")
    by_attribute = [_attribute_score(catalogue, row, option.attribute) for option in options]
    known = [score for score in by_attribute if score is not None]
    if len(known) == len(options):
        return np.array(known)
    if not all(option.title_ids for option in options):
        raise ValueError("each option needs an attribute that is known, or titles")
    return np.array([_title_score(catalogue, row, option.title_ids) for option in options])


def _attribute_score(catalogue: Catalogue, row: int, attribute: str) -> float | None:
    if attribute in _ATTRIBUTE_ROW:
        return float(catalogue.moods.scores[row, _ATTRIBUTE_ROW[attribute]])
    genre = _GENRE_ROW.get(attribute.removeprefix(_GENRE))
    if not attribute.startswith(_GENRE) or genre is None:
        return None
    first, second = catalogue.traits.genres[row].tolist()
    told = _FIRST_GENRE if genre == first else _SECOND_GENRE if genre == second else 0.0
    return told + float(catalogue.traits.vectors[row] @ catalogue.space.genres[genre])


def _title_score(catalogue: Catalogue, row: int, title_ids: frozenset[str]) -> float:
    """Whether the title is among them, and how close they lie to it on average.

    Ids that cannot be recommended say nothing; raises ValueError if none can.
    """
    row_of = catalogue.row_of
    rows = sorted(row_of[title_id] for title_id in title_ids if title_id in row_of)
    if not rows:
        raise ValueError("an option has no title that can be recommended")
    vectors = catalogue.traits.vectors
    closeness = _CLOSENESS * (vectors[rows] @ vectors[row])
    level = float(np.log(np.mean(np.exp(closeness - closeness.max()))) + closeness.max())
    return level + _AMONG * (row in rows)


def _standardised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((scores - scores.mean()) / max(float(scores.std()), 1e-9))
