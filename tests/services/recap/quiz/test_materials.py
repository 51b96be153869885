import dataclasses

import numpy as np

from services.recap.quiz.materials import of_version
from services.recap.quiz.title_traits import TitleTraits
from tests.made_bundle import catalogue, movie, retrieval
from tests.made_quizzes import material_of

OLD, NEW = retrieval("b1", seed=1), retrieval("b2", seed=2)
TITLES = list(catalogue().values())


def test_a_bundle_that_is_still_loaded_is_used_and_else_the_newest() -> None:
    assert of_version((NEW, OLD), "b1") is OLD
    assert of_version((NEW, OLD), "b2") is NEW
    assert of_version((NEW, OLD), "gone") is NEW
    assert of_version((), "b1") is None


def test_a_pool_keeps_the_vectors_of_the_bundle_that_it_began_with() -> None:
    ids = [title.title_id for title in TitleTraits.of(TITLES).titles]
    scores = np.zeros(len(ids), np.float32)
    for models in ((OLD,), (NEW, OLD)):
        pool = material_of(TITLES, models).pool(ids, scores, "b1")
        assert pool.vectors is not None
        assert pool.popularity is not None
        rows = [OLD.row_of[title_id] for title_id in pool.title_ids]
        np.testing.assert_array_equal(pool.vectors, OLD.unit_vectors[rows])
        np.testing.assert_array_equal(pool.popularity, OLD.popularity[rows])


def test_a_title_that_is_newer_than_the_bundle_is_near_to_nothing() -> None:
    fresh = dataclasses.replace(movie(1), title_id="fresh")
    pool = material_of([*TITLES, fresh], (OLD,)).pool(["fresh", "t01"], np.zeros(2), "b1")
    assert pool.vectors is not None
    assert pool.popularity is not None
    assert not pool.vectors[0].any()
    assert pool.popularity[0] == 0
    assert pool.vectors[1].any()


def test_without_a_bundle_a_pool_has_no_vectors() -> None:
    pool = material_of(TITLES).pool(["t01"], np.zeros(1), "b1")
    assert (pool.vectors, pool.popularity) == (None, None)
