import dataclasses
from pathlib import Path

import numpy as np
import pytest

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.manifest import BundleRejected
from libs.models.taste_model import QUIZ_PART, TasteModel
from tests.made_tastes import TITLES, make_taste_model
from tests.made_titles import GENRES


def place_of_genre(model: TasteModel, genre: str) -> tuple[int, int]:
    """A question that offers the genre, and its option."""
    for place, question in enumerate(model.questions):
        for option, facet in enumerate(question.facets):
            if facet.genre == genre:
                return place, option
    raise AssertionError(f"nothing asks about {genre}")


def test_whoever_likes_a_genre_is_expected_to_watch_it() -> None:
    model = make_taste_model()
    for genre in GENRES:
        after = model.watches([place_of_genre(model, genre)])
        best = np.argsort(-after)[:10]
        assert all(TITLES[model.title_ids[row]].genres == (genre,) for row in best.tolist())


def test_one_answer_gives_the_mean_of_those_who_gave_it() -> None:
    model = make_taste_model()
    place, option = place_of_genre(model, "Drama")
    column = int(model.starts[place]) + option
    expected = model.title_means + model.cross[:, column] / model.option_means[column]
    # The regression on all options of a question holds the mean of each; the ridge shrinks it.
    np.testing.assert_allclose(model.watches([(place, option)]), expected, atol=0.05)


def test_likelihoods_and_options_sum_to_one_for_each_question() -> None:
    model = make_taste_model()
    posterior = model.posterior([place_of_genre(model, "Drama")])
    sums = np.add.reduceat(posterior.likelihood, model.starts, axis=0)
    np.testing.assert_allclose(sums, 1.0, rtol=1e-5)
    assert posterior.likelihood.min() > 0
    assert posterior.watches.min() > 0


def test_the_likelihood_is_by_bayes_what_an_answer_does_to_the_expectation() -> None:
    model = make_taste_model()
    place, option = place_of_genre(model, "Comedy")
    column = int(model.starts[place]) + option
    before, after = model.posterior(()), model.watches([(place, option)])
    ratio = before.likelihood[column] / before.options[column]
    assert np.corrcoef(ratio, after / before.watches)[0, 1] > 0.99


def test_answers_to_the_same_question_in_other_words_do_not_count_twice() -> None:
    model = make_taste_model()
    place, option = place_of_genre(model, "Drama")
    twice = dataclasses.replace(model.of_questions([place, place]), title_means=model.title_means)
    once = model.watches([(place, option)])
    again = twice.watches([(0, option), (1, option)])
    np.testing.assert_allclose(again, once, atol=0.02)


def test_some_questions_tell_as_among_all() -> None:
    model = make_taste_model()
    place, option = place_of_genre(model, "Drama")
    only = model.of_questions([place])
    np.testing.assert_array_equal(only.watches([(0, option)]), model.watches([(place, option)]))


def test_some_titles_are_expected_as_among_all() -> None:
    model = make_taste_model()
    rows = np.array([5, 2, 60])
    said = [place_of_genre(model, "Drama")]
    np.testing.assert_allclose(model.of_titles(rows).watches(said), model.watches(said)[rows])


def published(root: Path, model: TasteModel) -> tuple[BundleStore, str]:
    version = publish(
        root, {QUIZ_PART: model.write}, now_ms=1, trained_until_ms=7, feature_schema_version=1
    )
    return BundleStore(root), version


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    model = make_taste_model()
    store, version = published(tmp_path, model)
    found = TasteModel.read(store.open_part(version, QUIZ_PART), store.manifest(version))
    assert found.title_ids == model.title_ids
    assert found.questions == model.questions
    assert (found.version, found.trained_until_ms) == (version, 7)
    said = [place_of_genre(model, "Drama")]
    np.testing.assert_array_equal(found.watches(said), model.watches(said))


def test_files_that_do_not_belong_together_are_rejected(tmp_path: Path) -> None:
    model = make_taste_model()
    other = dataclasses.replace(model, title_means=model.title_means[:-1])
    store, version = published(tmp_path, other)
    with pytest.raises(BundleRejected, match=r"title_means\.npy: has shape"):
        TasteModel.read(store.open_part(version, QUIZ_PART), store.manifest(version))
