"""Questions about a lasting taste, for catalogues that say nothing of tonight's mood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.models.taste_model import TasteModel
from libs.models.taste_question import Facet, TasteQuestion
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, Question, QuestionOption, noisy
from services.recap.quiz.questions_of_columns import years_text
from services.recap.quiz.selection import QuestionBank

_TITLE_OPTIONS: Final = (
    ("Yes, and I liked it", "those who like {} watch it"),
    ("Yes", "those who have seen {} watch it"),
    ("No", "those who have not seen {} watch it"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Tastes:
    """A bundle's model of taste, cut to the titles of a pool.

    What a question tells depends on what was answered before, so its likelihood is made anew for
    every state; questions and options stay the same.
    """

    model: TasteModel  # of m titles of the pool
    places: NDArray[np.int64]  # (m,) where they are in the pool
    title_count: int  # n of the pool
    worded: tuple[tuple[str, tuple[QuestionOption, ...]], ...]  # (q,) text and options

    @classmethod
    def of(cls, model: TasteModel, pool: Pool, titles: Mapping[str, Title]) -> "Tastes":
        """The model for one pool; `titles` is the catalogue, for what the questions are about.

        What asks about a title that left the catalogue is left out.
        """
        row_of = {title_id: row for row, title_id in enumerate(model.title_ids)}
        rows = np.array([row_of.get(title_id, -1) for title_id in pool.title_ids], dtype=np.int64)
        places = np.flatnonzero(rows >= 0)
        asked = [
            place
            for place, question in enumerate(model.questions)
            if all(title_id in titles for title_id in question.title_ids)
        ]
        kept = model.of_titles(rows[places]).of_questions(asked)
        return cls(
            model=kept,
            places=places,
            title_count=len(pool.titles),
            worded=tuple(_worded(question, titles) for question in kept.questions),
        )

    def bank(self, answers: Sequence[tuple[str, str]]) -> QuestionBank:
        """What may be asked after the answers (question_id, option_id), those asked before too."""
        posterior = self.model.posterior(self._said(answers))
        likelihood = posterior.likelihood
        if len(self.places) < self.title_count:
            # A title that the model does not know is as likely after any answer.
            likelihood = np.repeat(posterior.options[:, None], self.title_count, axis=1)
            likelihood[:, self.places] = posterior.likelihood
        fits = likelihood > posterior.options[:, None]
        questions = []
        for question, start, (text, options) in zip(
            self.model.questions, self.model.starts.tolist(), self.worded, strict=True
        ):
            own = slice(start, start + len(options))
            questions.append(
                Question(
                    question_id=question.question_id,
                    kind=question.kind,
                    text=text,
                    options=options,
                    likelihood=likelihood[own],
                    fits=fits[own],
                    cost_bits=question.cost_bits,
                )
            )
        counts = [len(options) for _, options in self.worded]
        return QuestionBank.of_stacked(tuple(questions), noisy(likelihood, counts))

    def log_expectations(self, answers: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """The logarithm (n,) of how likely each title is watched by whom only the answers tell of.

        A title that the model does not know, which few have watched, is as unlikely as the least.
        """
        known = np.log(self.model.watches(self._said(answers)).astype(np.float64))
        expected = np.full(self.title_count, known.min() if len(known) else 0.0)
        expected[self.places] = known
        return expected

    def log_ratios(self, answers: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """How much likelier (n,) the answers make each title, as a logarithm up to a constant.

        A title that the model does not know is taken for an average one.
        """
        ratios = np.zeros(self.title_count)
        after = self.model.watches(self._said(answers)).astype(np.float64)
        before = self.model.watches(()).astype(np.float64)
        if len(after):
            ratios[:] = np.log(after.sum() / before.sum())
            ratios[self.places] = np.log(after / before)
        return ratios

    def _said(self, answers: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """The answers in the model's places; to questions that are no more they say nothing.

        Raises KeyError for an option that its question does not have.
        """
        found = []
        places = {one.question_id: place for place, one in enumerate(self.model.questions)}
        for question_id, option_id in answers:
            place = places.get(question_id)
            if place is not None and option_id != DONT_CARE:
                options = self.model.questions[place].option_ids
                if option_id not in options:
                    raise KeyError(option_id)
                found.append((place, options.index(option_id)))
        return found


def _worded(
    question: TasteQuestion, titles: Mapping[str, Title]
) -> tuple[str, tuple[QuestionOption, ...]]:
    if question.title_id:
        name = titles[question.title_id].name
        options = tuple(
            QuestionOption(option_id, text, reason.format(name), question.title_id)
            for option_id, (text, reason) in zip(question.option_ids, _TITLE_OPTIONS, strict=True)
        )
        return f"Have you seen {name}?", options
    if question.kind == "pair":
        near = [titles[facet.near_title_id] for facet in question.facets]
        reason = "those who like what is near to {} watch it"
        return "Which of these two is nearer to what you like?", tuple(
            QuestionOption(option_id, one.name, reason.format(one.name), one.title_id)
            for option_id, one in zip(question.option_ids, near, strict=True)
        )
    last = len(question.facets) - 1
    options = tuple(
        QuestionOption(option_id, *_of_facet(facet, is_first=place == 0, is_last=place == last))
        for place, (option_id, facet) in enumerate(
            zip(question.option_ids, question.facets, strict=True)
        )
    )
    text = (
        "Which of these do you like most?"
        if question.kind == "genre"
        else "Films of which years do you like most?"
    )
    return text, options


def _of_facet(facet: Facet, *, is_first: bool, is_last: bool) -> tuple[str, str]:
    """Text and reason of an option."""
    if facet.genre:
        return facet.genre, f"those who like {facet.genre} watch it"
    low, high = (0 if is_first else facet.first_year), (0 if is_last else facet.last_year)
    text = years_text(low, high)
    return text, f"those who like what is from {text} watch it"
