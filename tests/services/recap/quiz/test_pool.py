import dataclasses

import numpy as np
import pytest

from libs.domain.title import Title, TitleKind
from libs.faults import InvalidField
from services.recap.quiz.pool import Pool, prior_of
from services.recap.quiz.title_traits import TitleTraits
from tests.made_titles import make_titles


def test_the_prior_keeps_the_order_of_scores_and_sums_to_one() -> None:
    prior = prior_of(np.array([3.0, 2.0, 1.5, -4.0]))
    assert np.all(np.diff(prior) < 0)
    assert prior.sum() == pytest.approx(1.0)


def test_neither_the_unit_nor_the_zero_of_scores_matters() -> None:
    scores = np.array([3.0, 2.0, 1.5, -4.0])
    np.testing.assert_allclose(prior_of(scores), prior_of(100.0 * scores - 7.0))


def test_equal_scores_are_equally_likely() -> None:
    np.testing.assert_array_equal(prior_of(np.full(4, 2.5)), np.full(4, 0.25))


def test_scores_that_are_no_numbers_are_equally_likely() -> None:
    np.testing.assert_array_equal(prior_of(np.array([1.0, np.nan])), [0.5, 0.5])


def test_no_titles_have_no_prior() -> None:
    pool = Pool.of(TitleTraits.of(()), [], np.empty(0))
    assert pool.title_ids == ()
    assert len(pool.prior) == 0


def test_titles_that_the_catalogue_forgot_are_left_out() -> None:
    titles = make_titles(4)
    ids = ["t0002", "gone", "t0000"]
    pool = Pool.of(
        TitleTraits.of(titles),
        ids,
        np.array([3.0, 2.0, 1.0]),
        popularity=np.array([7.0, 8.0, 9.0]),
        vectors=np.eye(3, dtype=np.float32),
    )
    assert pool.title_ids == ("t0002", "t0000")
    assert pool.prior.sum() == pytest.approx(1.0)
    assert pool.popularity is not None
    assert pool.vectors is not None
    np.testing.assert_array_equal(pool.popularity, [7.0, 9.0])
    np.testing.assert_array_equal(pool.vectors, np.eye(3)[[0, 2]])


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidField, match="scores"):
        Pool.of(TitleTraits.of(make_titles(2)), ["t0000", "t0001"], np.ones(3))


def test_episodes_and_extras_are_nothing_to_choose() -> None:
    series = dataclasses.replace(make_titles(1)[0], kind=TitleKind.SERIES)
    episode = Title("e1", TitleKind.EPISODE, "One", parent_id=series.title_id)
    extra = Title("x1", TitleKind.EXTRA, "Behind", parent_id=series.title_id)
    traits = TitleTraits.of((series, episode, extra))
    assert [title.title_id for title in traits.titles] == [series.title_id]


def test_only_tags_of_a_kind_are_labels_of_it() -> None:
    labels = TitleTraits.of(make_titles(6)).labels
    assert labels["mood"].names == ("dark", "funny", "moving")
    assert labels["energy"].names == ("calm", "intense")
    assert labels["company"].names == ()
    np.testing.assert_array_equal(labels["mood"].carried[4], [False, True, False])


def test_labels_that_differ_by_case_or_blanks_alone_are_one() -> None:
    tags = [("mood:Dark",), ("mood:dark",), ("mood: dark ", "mood:funny"), ("mood:", "mood: ")]
    titles = [
        Title(f"t{place}", TitleKind.MOVIE, "One", tags=own, genres=(" ",))
        for place, own in enumerate(tags)
    ]
    labels = TitleTraits.of(titles).labels
    assert labels["mood"].names == ("dark", "funny")
    np.testing.assert_array_equal(
        labels["mood"].carried, [[True, False], [True, False], [True, True], [False, False]]
    )
    assert labels["genre"].names == ()
