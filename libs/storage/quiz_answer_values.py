"""The answers of quizzes as values that JSON knows, as the log and the outbox keep them."""

from collections.abc import Sequence
from typing import Any

from libs.domain.event import QuizAnswer, Wish


def quiz_answer_values(answer: QuizAnswer) -> list[Any]:
    """The three ids, and the wishes if there are any."""
    ids = [answer.quiz_id, answer.question_id, answer.answer_id]
    if not answer.wishes:
        return ids
    return [*ids, [[wish.title_id, wish.weight] for wish in answer.wishes]]


def quiz_answer_of(values: Sequence[Any]) -> QuizAnswer:
    """The inverse of `quiz_answer_values`."""
    quiz_id, question_id, answer_id, *wishes = values
    return QuizAnswer(
        quiz_id,
        question_id,
        answer_id,
        tuple([Wish(*one) for one in wishes[0]]) if wishes else (),
    )
