import numpy as np

from cli.quiz_exam import QuizExam
from tests.made_tastes import IDS, TITLES, make_opinions, make_taste_model


def make_exam(count: int = 40) -> QuizExam:
    return QuizExam.of(IDS, TITLES, make_opinions(count, seed=77), seed=4)


def test_answers_make_lists_better_than_popularity() -> None:
    exam, model = make_exam(), make_taste_model()
    played = exam.played(model, answers=4, error_rate=0.0, seed=1)
    popular = exam.popular(np.bincount(make_opinions().rows, minlength=len(IDS)))
    assert played.ndcg.shape == (40, 5)
    assert played.ndcg[:, 4].mean() > 1.5 * popular.mean()
    assert sum(played.kinds[0].values()) == 40


def test_wrong_answers_make_lists_worse() -> None:
    exam, model = make_exam(), make_taste_model()
    right = exam.played(model, answers=3, error_rate=0.0, seed=1).ndcg[:, 3]
    wrong = exam.played(model, answers=3, error_rate=1.0, seed=1).ndcg[:, 3]
    assert wrong.mean() < right.mean()


def test_what_answered_is_never_listed() -> None:
    exam, model = make_exam(1), make_taste_model()
    # Whoever wants what it has watched already gets nothing of it.
    again = QuizExam(IDS, TITLES, exam.watched, exam.liked, exam.watched)
    assert again.played(model, answers=2, error_rate=0.0, seed=1).ndcg.max() == 0.0


def test_the_same_seed_gives_the_same_figures() -> None:
    model = make_taste_model()
    one, two = (
        make_exam(10).played(model, answers=3, error_rate=0.3, seed=9).ndcg for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


def test_who_watched_nothing_is_left_out() -> None:
    hidden = make_opinions(3)
    hidden.starts[3] = hidden.starts[2]
    assert len(QuizExam.of(IDS, TITLES, hidden, seed=1).truth) == 2
