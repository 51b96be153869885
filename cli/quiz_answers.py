"""What people whose histories are known answer to the questions of a quiz, as these are worded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.faults import StartFault
from libs.models.taste_question import NO_ANSWER, TITLE_OPTIONS, AnswerBook, Facet, TasteQuestion
from reprise.recap.v1 import quiz_pb2

DONT_CARE = "dont_care"


@dataclass(slots=True, eq=False)
class QuizAnswers:
    """The answers of p people by what they watched and liked of n titles: (p, n), 1 where so.

    Of one title they say whether they have seen or liked it. Of genres they name the one that
    exceeds its usual share of what people watch most (`genre_shares`), and of two titles the one
    that is nearer to what they have watched, by genres and years alone.
    """

    title_ids: tuple[str, ...]  # (n,)
    titles: Mapping[str, Title]
    watched: NDArray[np.float32]
    liked: NDArray[np.float32]
    genre_shares: Mapping[str, float]
    _known: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def option_id(self, person: int, question: quiz_pb2.Question) -> str:
        """What one of them chooses; "dont_care" who has nothing to say.

        Raises StartFault for a question that a history does not answer.
        """
        if question.question_id not in self._known:
            asked = self._understood(question)
            book = AnswerBook.of((asked,), self.title_ids, self.titles)
            self._known[question.question_id] = book.answers(self.watched, self.liked)[:, 0]
        chosen = int(self._known[question.question_id][person])
        return DONT_CARE if chosen == NO_ANSWER else question.options[chosen].option_id

    def _understood(self, question: quiz_pb2.Question) -> TasteQuestion:
        """The question by its words, as a viewer has them."""
        name, options = question.question_id, question.options
        if question.kind == "title":
            if tuple(option.option_id for option in options) != TITLE_OPTIONS:
                raise StartFault(f"{name} has other options than {', '.join(TITLE_OPTIONS)}")
            return TasteQuestion(name, "title", title_id=options[0].title_id)
        if question.kind == "pair":
            near = tuple(Facet(0.0, near_title_id=option.title_id) for option in options)
            return TasteQuestion(name, "pair", facets=near)
        texts = [option.text for option in options]
        if question.kind != "genre" or not self.genre_shares.keys() >= set(texts):
            raise StartFault(
                f"no history answers {question.text!r} with {', '.join(texts)}: is there no quiz"
                " part in the bundle?"
            )
        genres = tuple(Facet(self.genre_shares[text], genre=text) for text in texts)
        return TasteQuestion(name, "genre", facets=genres)


def genre_shares(
    title_ids: tuple[str, ...], titles: Mapping[str, Title], shares: NDArray[np.float64]
) -> dict[str, float]:
    """The usual share of each genre, where `shares` (n,) are those of the titles."""
    found: dict[str, float] = {}
    for title_id, share in zip(title_ids, shares.tolist(), strict=True):
        for genre in titles[title_id].genres:
            found[genre] = found.get(genre, 0.0) + share
    return found
