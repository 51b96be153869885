"""Thousands of random sequences of answers, most of them wrong: none of these changes anything."""

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from libs.domain.event import QuizAnswer
from libs.storage.recap.database import open_file
from tests.made_quizzes import made_quizzes
from tests.made_recap import waiting
from tests.random_quizzes import Clock, Sequence

SEED = 20_261_122
LENGTH = 12


@pytest.mark.timeout(3_600)
async def test_wrong_answers_are_told_and_change_nothing(
    tmp_path: Path, quiz_sequence_count: int
) -> None:
    clock, counts = Clock(), Counter[str]()
    answers = 0
    with closing(open_file(tmp_path / "recap.sqlite")) as database:
        quizzes, _, _ = made_quizzes(database, clock)
        for number in range(quiz_sequence_count):
            sequence = Sequence(quizzes, clock, SEED + number)
            await sequence.run(LENGTH)
            counts.update(sequence.counts)
            answers += sequence.named_answer_count
        recorded = [one.event for one in waiting(database)]
    assert min(counts.values()) > quiz_sequence_count / 10
    assert len(recorded) == answers, "each answer of a named profile is recorded once"
    assert len({event.event_id for event in recorded}) == answers
    assert all(isinstance(event.detail, QuizAnswer) for event in recorded)
