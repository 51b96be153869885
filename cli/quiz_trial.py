"""Plays quizzes with simulated viewers who know what they want, and sees where it is ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.simulation.answers import Option, answer
from libs.simulation.catalogue import Catalogue
from libs.simulation.wishes import Wish
from services.recap.quiz.question import DONT_CARE, Question
from services.recap.quiz.quiz import Quiz, Said
from services.recap.quiz.selection import StopRules

# Ask as many questions as are allowed.
NEVER_STOP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Trial:
    """Who wants what, and the pool that a quiz would have for them."""

    wish: Wish
    pool_key: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of each trial: the rank of the wanted title, and the kinds of questions that were asked."""

    ranks: NDArray[np.int64]  # (t,)
    kinds: tuple[tuple[str, ...], ...]  # (t,)

    @property
    def median_rank(self) -> float:
        """Half of the wanted titles are ranked no worse."""
        return float(np.median(self.ranks))


def play(
    trials: Sequence[Trial],
    quizzes: Mapping[str, Quiz],
    catalogue: Catalogue,
    *,
    error_rate: float,
    seed: int,
    rules: StopRules,
    at_random: bool = False,
) -> Outcome:
    """Play every trial; a title outside of its pool ranks last of the catalogue.

    `at_random` asks any question of the same quiz instead of the one that tells most.
    """
    rng = np.random.default_rng(seed)
    chosen: dict[tuple[str, tuple[Said, ...]], Question | None] = {}
    ranks, kinds = [], []
    for trial in trials:
        quiz = quizzes[trial.pool_key]
        said: tuple[Said, ...] = ()
        asked: list[str] = []
        while True:
            if at_random:
                question = _any_question(quiz, said, rules, rng)
            else:
                key = (trial.pool_key, said)
                if key not in chosen:
                    chosen[key] = quiz.choice(said, rules).question
                question = chosen[key]
            if question is None:
                break
            told = answer(catalogue, trial.wish, _options(quiz, question), error_rate, rng)
            option_id = DONT_CARE if told is None else question.options[told].option_id
            said = (*said, (question.question_id, option_id))
            asked.append(question.kind)
        ranks.append(_rank(quiz, said, trial.wish.title_id, len(catalogue.title_ids)))
        kinds.append(tuple(asked))
    return Outcome(np.array(ranks, dtype=np.int64), tuple(kinds))


def _any_question(
    quiz: Quiz, said: Sequence[Said], rules: StopRules, rng: np.random.Generator
) -> Question | None:
    before = {question_id for question_id, _ in said}
    left = [one for one in quiz.bank.questions if one.question_id not in before]
    if len(said) >= rules.most_answers or not left:
        return None
    return left[int(rng.integers(len(left)))]


def _options(quiz: Quiz, question: Question) -> list[Option]:
    """What a viewer understands by each option: a label, or the titles that it stands for."""
    found = []
    for option, fits in zip(question.options, question.fits, strict=True):
        titles = (option.title_id,) if option.title_id else _ids(quiz.pool.titles, fits)
        found.append(Option(attribute=option.label, title_ids=frozenset(titles)))
    return found


def _ids(titles: Sequence[Title], fits: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(titles[row].title_id for row in np.flatnonzero(fits).tolist())


def _rank(quiz: Quiz, said: Sequence[Said], title_id: str, worst: int) -> int:
    ids = quiz.pool.title_ids
    if title_id not in ids:
        return worst
    weights = quiz.belief(said).log_weights
    # Of titles that are as likely the pool's order decides, as in the slate.
    place = ids.index(title_id)
    return 1 + int((weights > weights[place]).sum() + (weights[:place] == weights[place]).sum())
