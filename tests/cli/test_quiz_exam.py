import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cli.quiz_answers import QuizAnswers, genre_shares
from cli.quiz_exam import QuizExam, QuizScores
from libs.faults import StartFault
from tests.cli.made_quiz_stub import straight_stub
from tests.made_tastes import IDS, TITLES, make_opinions

SHARES = genre_shares(IDS, TITLES, np.full(len(IDS), 1 / len(IDS)))


def make_exam(count: int = 40) -> QuizExam:
    return QuizExam.of(IDS, TITLES, make_opinions(count, seed=77), seed=4)


def told(exam: QuizExam) -> QuizAnswers:
    return exam.answers(SHARES)


def played(
    folder: Path, exam: QuizExam, *, answers: int = 3, error_rate: float = 0.0
) -> QuizScores:
    with straight_stub(folder) as stub:
        return exam.played(stub, told(exam), answers=answers, error_rate=error_rate, seed=1)


def test_answers_make_lists_better_than_popularity(tmp_path: Path) -> None:
    exam = make_exam()
    found = played(tmp_path, exam, answers=4)
    popular = exam.popular(np.bincount(make_opinions().rows, minlength=len(IDS)))
    assert found.ndcg.shape == (40, 5)
    assert found.ndcg[:, 4].mean() > 1.5 * popular.mean()
    assert sum(found.kinds[0].values()) == 40
    assert set().union(*found.kinds) <= {"title", "genre", "pair"}


def test_wrong_answers_make_lists_worse(tmp_path: Path) -> None:
    exam = make_exam()
    right = played(tmp_path, exam).ndcg[:, 3]
    wrong = played(tmp_path, exam, error_rate=1.0).ndcg[:, 3]
    assert wrong.mean() < right.mean()


def test_what_answered_is_never_listed(tmp_path: Path) -> None:
    exam = make_exam(1)
    # Whoever wants what it has watched already gets nothing of it.
    again = QuizExam(IDS, TITLES, exam.watched, exam.liked, exam.watched)
    assert played(tmp_path, again, answers=2).ndcg.max() == 0.0


def test_the_same_seed_gives_the_same_figures(tmp_path: Path) -> None:
    one, two = (played(tmp_path, make_exam(10), error_rate=0.3).ndcg for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_who_watched_nothing_is_left_out() -> None:
    hidden = make_opinions(3)
    hidden.starts[3] = hidden.starts[2]
    assert len(QuizExam.of(IDS, TITLES, hidden, seed=1).truth) == 2


def test_a_quiz_with_too_few_questions_is_told(tmp_path: Path) -> None:
    exam = make_exam(1)
    with (
        straight_stub(tmp_path, most_questions=3) as stub,
        pytest.raises(StartFault, match="has only 3 questions"),
    ):
        exam.played(stub, told(exam), answers=4, error_rate=0.0, seed=1)


def test_lists_made_without_a_part_are_no_measurement(tmp_path: Path) -> None:
    exam = make_exam(1)
    with straight_stub(tmp_path, is_maimed=True) as stub, pytest.raises(StartFault, match="away"):
        exam.played(stub, told(exam), answers=1, error_rate=0.0, seed=1)


def test_a_question_that_no_history_answers_is_told(tmp_path: Path) -> None:
    exam = make_exam(1)
    nobody_knows = dataclasses.replace(told(exam), genre_shares={})
    with straight_stub(tmp_path) as stub, pytest.raises(StartFault, match="no history answers"):
        exam.played(stub, nobody_knows, answers=8, error_rate=0.0, seed=1)
