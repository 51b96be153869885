"""The answers of quizzes as messages of the events contract."""

from libs.domain.event import QuizAnswer
from reprise.events.v1 import events_pb2


def quiz_answer_message(answer: QuizAnswer) -> events_pb2.QuizAnswer:
    """One answer with its wishes."""
    return events_pb2.QuizAnswer(
        quiz_id=answer.quiz_id,
        question_id=answer.question_id,
        answer_id=answer.answer_id,
        wishes=[
            events_pb2.Wish(title_id=wish.title_id, weight=wish.weight) for wish in answer.wishes
        ],
    )
