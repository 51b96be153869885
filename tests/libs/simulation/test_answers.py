import numpy as np
import pytest

from libs.domain.viewing import ViewingContext
from libs.simulation.answers import Option, answer, true_answer
from libs.simulation.moods import ATTRIBUTES, MOODS
from libs.simulation.wishes import Wish
from libs.simulation.world import World

MOOD_OPTIONS = [Option(attribute=mood) for mood in MOODS]


def _wish(world: World, row: int) -> Wish:
    return Wish(0, ViewingContext(), world.recommendable_ids[row], row, MOODS[0])


def _titles(world: World, *rows: int) -> Option:
    return Option(title_ids=frozenset(world.recommendable_ids[row] for row in rows))


def test_the_true_answer_is_the_attribute_that_the_title_has_most_of(world: World) -> None:
    scores = world.catalogue.moods.scores
    for row in range(30):
        truth = true_answer(world.catalogue, _wish(world, row), MOOD_OPTIONS)
        assert truth == int(np.argmax(scores[row, : len(MOODS)]))
        assert ATTRIBUTES[truth] == MOODS[truth]


def test_the_first_genre_is_preferred_to_the_second_and_that_to_others(world: World) -> None:
    for row in range(60):
        genres = world.titles[row].genres
        other = next(g for g in ("Horror", "Family", "Drama") if g not in genres)
        options = [Option(f"genre:{genre}") for genre in (other, *reversed(genres))]
        assert true_answer(world.catalogue, _wish(world, row), options) == len(genres)


def test_a_set_with_the_wished_title_is_the_true_answer(world: World) -> None:
    wish = _wish(world, 7)
    options = [_titles(world, *range(20, 60)), _titles(world, *range(20)), _titles(world, 61, 62)]

    assert true_answer(world.catalogue, wish, options) == 1


def test_of_two_titles_the_closer_one_is_the_true_answer(world: World) -> None:
    vectors = world.catalogue.traits.vectors
    closeness = vectors @ vectors[3]
    near, far = np.argsort(-closeness)[1], np.argsort(closeness)[0]

    options = [_titles(world, int(far)), _titles(world, int(near))]
    assert true_answer(world.catalogue, _wish(world, 3), options) == 1


def test_options_that_are_all_the_same_have_no_answer(world: World) -> None:
    same = [_titles(world, 5, 6), _titles(world, 5, 6)]

    assert true_answer(world.catalogue, _wish(world, 9), same) is None


def test_without_errors_answers_are_true(world: World) -> None:
    rng = np.random.default_rng(1)
    for row in range(40):
        wish = _wish(world, row)
        assert answer(world.catalogue, wish, MOOD_OPTIONS, 0.0, rng) == true_answer(
            world.catalogue, wish, MOOD_OPTIONS
        )


@pytest.mark.parametrize("error_rate", [0.1, 0.2])
def test_so_many_answers_are_wrong_and_most_of_them_nearly_right(
    world: World, error_rate: float
) -> None:
    rng = np.random.default_rng(2)
    scores = world.catalogue.moods.scores[:, : len(MOODS)]
    wrong = []
    for place in range(6_000):
        row = place % len(scores)
        truth = int(np.argmax(scores[row]))
        given = answer(world.catalogue, _wish(world, row), MOOD_OPTIONS, error_rate, rng)
        if given != truth:
            assert given is not None
            order = np.argsort(-scores[row]).tolist()
            wrong.append(order.index(given))
    assert len(wrong) / 6_000 == pytest.approx(error_rate, abs=0.015)
    assert np.mean(wrong) < 0.8 * np.mean(range(1, len(MOODS)))


def test_a_question_that_cannot_be_answered_is_an_error(world: World) -> None:
    wish = _wish(world, 1)
    for options in (
        [],
        [Option("mood:unheard-of"), Option("mood:dark")],
        [Option(title_ids=frozenset({"nothing"}))],
    ):
        with pytest.raises(ValueError, match="option"):
            true_answer(world.catalogue, wish, options)
    with pytest.raises(ValueError, match="error_rate"):
        answer(world.catalogue, wish, MOOD_OPTIONS, 1.5, np.random.default_rng(1))
