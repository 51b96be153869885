import dataclasses

import numpy as np

from libs.models.taste_question import AnswerBook
from tests.made_tastes import IDS, TITLES, make_opinions, make_taste_model
from training.opinions import Opinions
from training.taste_choice import one_hot
from training.taste_fit import LEAST_PROFILES, TasteConfig, fit_taste
from training.taste_questions import Counts

CONFIG = TasteConfig(counts=Counts(titles=5, genres=4, pairs=3, eras=2))


def test_the_moments_are_those_of_the_halves() -> None:
    known = make_opinions(300)
    config = dataclasses.replace(CONFIG, rounds=1)
    model = fit_taste(IDS, TITLES, known, config)
    assert model is not None
    # A draw of its own: means over halves differ by chance alone.
    rng = np.random.default_rng(99)
    seen, liked, other = known.halves(np.arange(300), rng)
    rows = [IDS.index(title_id) for title_id in model.title_ids]
    book = AnswerBook.of(model.questions, model.title_ids, TITLES)
    counts = [len(question.option_ids) for question in model.questions]
    answers = one_hot(book.answers(seen[:, rows], liked[:, rows]), counts)
    np.testing.assert_allclose(model.option_means, answers.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(model.title_means, other[:, rows].mean(axis=0), atol=0.1)
    expected = other[:, rows].T @ (answers - answers.mean(axis=0)) / 300
    assert np.corrcoef(model.cross.ravel(), expected.ravel())[0, 1] > 0.5


def test_the_same_history_gives_the_same_model() -> None:
    one, two = make_taste_model(), make_taste_model()
    assert one.questions == two.questions
    np.testing.assert_array_equal(one.covariance, two.covariance)
    np.testing.assert_array_equal(one.cross, two.cross)


def test_there_are_questions_of_each_kind() -> None:
    kinds = {question.kind for question in make_taste_model().questions}
    assert kinds == {"title", "genre", "era", "pair"}


def test_an_answer_that_few_profiles_gave_is_not_in_the_model() -> None:
    model = make_taste_model()
    assert model.option_means.min() * 400 >= LEAST_PROFILES - 1e-3


def test_a_title_that_few_profiles_watched_is_not_in_the_model() -> None:
    known = make_opinions(105)
    # Of every third title only the first profiles have heard.
    is_kept = (known.rows % 3 != 0) | (np.arange(len(known.rows)) < 600)
    known = Opinions(
        np.concatenate((np.zeros(1, np.int64), np.cumsum(is_kept)))[known.starts],
        known.rows[is_kept],
        known.is_liked[is_kept],
        len(IDS),
    )
    support = np.bincount(known.rows, minlength=len(IDS))
    model = fit_taste(IDS, TITLES, known, CONFIG)
    assert model is not None
    assert 0 < len(model.title_ids) < len(IDS)
    assert set(model.title_ids) == {IDS[row] for row in np.flatnonzero(support >= LEAST_PROFILES)}


def test_too_few_profiles_teach_nothing() -> None:
    assert fit_taste(IDS, TITLES, make_opinions(LEAST_PROFILES - 1), CONFIG) is None


def test_an_empty_log_teaches_nothing() -> None:
    nobody = Opinions(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.bool_), len(IDS))
    assert fit_taste(IDS, TITLES, nobody, CONFIG) is None
