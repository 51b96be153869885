"""Plays the quiz of taste with people whom training never saw, and judges the lists after it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.models.taste_model import TasteModel
from libs.models.taste_question import NO_ANSWER, AnswerBook
from libs.models.top import top_rows
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE
from services.recap.quiz.quiz import Quiz, Said
from services.recap.quiz.selection import StopRules
from services.recap.quiz.title_traits import TitleTraits
from training.evaluation import ndcg_at_k
from training.judge import NDCG_AT
from training.opinions import Opinions

# Questions are chosen by what they tell of so many titles, as for somebody unknown in serving.
POOL: Final = 500
# Nothing but the number of answers ends a quiz.
_ENDLESS: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class QuizScores:
    """NDCG (p, answers + 1) of the lists of p people after 0, 1, … answers."""

    ndcg: NDArray[np.float64]
    kinds: tuple[Counter[str], ...]  # of the first, second, … question


@dataclass(frozen=True, slots=True, eq=False)
class QuizExam:
    """What the hidden people watched, halved: one half answers, the other is the truth.

    `watched`, `liked` and `truth` are (p, n) over `title_ids` (n,), the full catalogue.
    """

    title_ids: tuple[str, ...]
    titles: Mapping[str, Title]
    watched: NDArray[np.float32]
    liked: NDArray[np.float32]
    truth: NDArray[np.float32]

    @classmethod
    def of(
        cls, title_ids: tuple[str, ...], titles: Mapping[str, Title], hidden: Opinions, seed: int
    ) -> "QuizExam":
        """Halve the histories of `hidden` at random; who has no truth is left out."""
        places = np.arange(len(hidden), dtype=np.int64)
        halves = hidden.halves(places, np.random.default_rng(seed))
        has_truth = halves[2].sum(axis=1) > 0
        watched, liked, truth = (half[has_truth] for half in halves)
        return cls(title_ids, titles, watched, liked, truth)

    def popular(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """NDCG (p,) of what most have watched, by `counts` (n,)."""
        scores = counts.astype(np.float32)
        return np.array([self._ndcg(person, scores) for person in range(len(self.truth))])

    def played(
        self,
        model: TasteModel,
        *,
        answers: int,
        error_rate: float,
        seed: int,
        on_done: Callable[[], None] = lambda: None,
    ) -> QuizScores:
        """Ask everybody as many questions; wrong answers fall on any option."""
        table = _Table.of(self, model)
        rng = np.random.default_rng(seed)
        ndcg = np.zeros((len(self.truth), answers + 1))
        kinds: tuple[Counter[str], ...] = tuple(Counter() for _ in range(answers))
        rules = StopRules(answers, sure_mass=_ENDLESS, least_gain_bits=-_ENDLESS)
        for person in range(len(self.truth)):
            said: tuple[Said, ...] = ()
            ndcg[person, 0] = self._ndcg(person, table.scores(said))
            for number in range(answers):
                place = table.next_question(said, rules)
                question = model.questions[place]
                option = int(table.answers[person, place])
                if error_rate and rng.random() < error_rate:
                    option = int(rng.integers(len(question.option_ids)))
                told = DONT_CARE if option == NO_ANSWER else question.option_ids[option]
                said = (*said, (question.question_id, told))
                kinds[number][question.kind] += 1
                ndcg[person, number + 1] = self._ndcg(person, table.scores(said))
            on_done()
        return QuizScores(ndcg, kinds)

    def _ndcg(self, person: int, scores: NDArray[np.float32]) -> float:
        """Of the list without all that answered, asked about or not."""
        allowed = np.flatnonzero(self.watched[person] == 0).astype(np.int32)
        ranked = allowed[top_rows(scores[allowed], NDCG_AT)]
        return ndcg_at_k(ranked, np.flatnonzero(self.truth[person]).astype(np.int32), NDCG_AT)


@dataclass(slots=True, eq=False)
class _Table:
    """One model's quiz, with what was chosen and scored for the same answers before."""

    model: TasteModel
    quiz: Quiz
    answers: NDArray[np.int64]  # (p, q)
    rows: NDArray[np.int64]  # (m,) of the model's titles in the catalogue
    title_count: int
    place_of: Mapping[str, int]
    _chosen: dict[tuple[Said, ...], int] = field(default_factory=dict)
    _scores: dict[tuple[Said, ...], NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def of(cls, exam: QuizExam, model: TasteModel) -> "_Table":
        row_of = {title_id: row for row, title_id in enumerate(exam.title_ids)}
        rows = np.array([row_of[title_id] for title_id in model.title_ids], dtype=np.int64)
        book = AnswerBook.of(model.questions, model.title_ids, exam.titles)
        traits = TitleTraits.of(exam.titles.values())
        best = np.argsort(-model.title_means, kind="stable")[:POOL].tolist()
        pool = Pool.of_weights(
            traits, [model.title_ids[row] for row in best], model.title_means[best]
        )
        return cls(
            model=model,
            quiz=Quiz.of(pool, model, exam.titles),
            answers=book.answers(exam.watched[:, rows], exam.liked[:, rows]),
            rows=rows,
            title_count=len(exam.title_ids),
            place_of={one.question_id: place for place, one in enumerate(model.questions)},
        )

    def next_question(self, said: tuple[Said, ...], rules: StopRules) -> int:
        if said not in self._chosen:
            question = self.quiz.choice(said, rules).question
            if question is None:
                raise AssertionError("a quiz that never stops has a question left")
            self._chosen[said] = self.place_of[question.question_id]
        return self._chosen[said]

    def scores(self, said: tuple[Said, ...]) -> NDArray[np.float32]:
        """What is expected (n,) of somebody with these answers; 0 for titles without a model."""
        if said not in self._scores:
            scores = np.zeros(self.title_count, dtype=np.float32)
            scores[self.rows] = self.model.watches(self._places(said))
            self._scores[said] = scores
        return self._scores[said]

    def _places(self, said: Sequence[Said]) -> list[tuple[int, int]]:
        places = [(self.place_of[asked], told) for asked, told in said if told != DONT_CARE]
        return [
            (place, self.model.questions[place].option_ids.index(told)) for place, told in places
        ]
