import numpy as np
import pytest

from libs.models.taste_model import TasteModel
from libs.models.taste_question import AnswerBook
from tests.made_tastes import IDS, TITLES, make_opinions, make_taste_model
from training.evaluation import ndcg_at_k
from training.taste_choice import Trial, chosen, one_hot

MODEL = make_taste_model()


def make_trial(model: TasteModel = MODEL, count: int = 60) -> Trial:
    known = make_opinions(count, seed=31)
    seen, liked, other = known.halves(np.arange(count), np.random.default_rng(2))
    rows = [IDS.index(title_id) for title_id in model.title_ids]
    seen, liked, other = (half[:, rows] for half in (seen, liked, other))
    book = AnswerBook.of(model.questions, model.title_ids, TITLES)
    return Trial.of(model, book.answers(seen, liked), seen, other)


def test_a_trial_ranks_as_the_model_does() -> None:
    known = make_opinions(1, seed=31)
    seen, liked, other = known.halves(np.arange(1), np.random.default_rng(2))
    rows = [IDS.index(title_id) for title_id in MODEL.title_ids]
    seen, liked, other = (half[:, rows] for half in (seen, liked, other))
    answers = AnswerBook.of(MODEL.questions, MODEL.title_ids, TITLES).answers(seen, liked)
    genre = next(place for place, one in enumerate(MODEL.questions) if one.kind == "genre")
    scores = MODEL.watches([(genre, int(answers[0, genre]))])
    scores[seen[0] > 0] = -1
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    expected = ndcg_at_k(order[:10], np.flatnonzero(other[0]).astype(np.int32), 10)
    trial = Trial.of(MODEL, answers, seen, other)
    assert trial.ndcg([genre]) == pytest.approx(expected, abs=1e-6)


def test_the_first_question_is_the_best_alone() -> None:
    trial = make_trial()
    places = range(len(MODEL.questions))
    worth = [trial.ndcg([place]) for place in places]
    assert worth[chosen(trial, places, 1)[0]] == max(worth)


def test_no_question_is_chosen_twice_nor_more_than_there_are() -> None:
    found = chosen(make_trial(), [3, 1, 4], 9)
    assert sorted(found) == [1, 3, 4]


def test_the_same_question_in_other_words_comes_last() -> None:
    trial = make_trial()
    best = chosen(trial, range(len(MODEL.questions)), 1)[0]
    others = [place for place in range(len(MODEL.questions)) if place != best][:6]
    model = MODEL.of_questions([best, best, *others])
    order = chosen(make_trial(model), range(len(model.questions)), 2)
    assert {0, 1} - set(order), "the second one tells nothing more"


def test_nobody_to_ask_chooses_nothing() -> None:
    nobody = np.empty((0, len(MODEL.title_ids)), np.float32)
    answers = np.empty((0, len(MODEL.questions)), np.int64)
    assert chosen(Trial.of(MODEL, answers, nobody, nobody), [0, 1], 2) == []


def test_no_answer_is_coded_as_nothing() -> None:
    coded = one_hot(np.array([[1, -1], [-1, 0]]), [2, 3])
    np.testing.assert_array_equal(coded, [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]])
