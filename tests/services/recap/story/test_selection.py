import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.recap.story.selection import select
from services.recap.story.terms import terms

CHOICES = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.text("ab ", max_size=8), st.integers(1, 40)),
    min_size=1,
    max_size=20,
)


def chosen(beats: list[tuple[float, float, str, int]], budget: int) -> list[int]:
    importances, relevances, texts, costs = zip(*beats, strict=True)
    places: list[int] = select(
        np.array(importances), np.array(relevances), terms(texts), np.array(costs), budget
    ).tolist()
    return places


@given(CHOICES, st.integers(1, 200))
def test_the_budget_is_kept_and_used(
    beats: list[tuple[float, float, str, int]], budget: int
) -> None:
    places = chosen(beats, budget)
    costs = [beat[3] for beat in beats]
    spent = sum(costs[place] for place in places)
    assert len(set(places)) == len(places)
    if min(costs) > budget:
        assert [costs[place] for place in places] == [min(costs)]
    else:
        assert spent <= budget
        left = [cost for place, cost in enumerate(costs) if place not in places]
        assert all(cost > budget - spent for cost in left)


def test_what_matters_comes_first() -> None:
    beats = [(0.1, 0.0, "a", 1), (0.9, 0.0, "b", 1), (0.5, 0.0, "c", 1)]
    assert chosen(beats, 3) == [1, 2, 0]


def test_what_the_next_episode_is_about_comes_before_what_matters_as_much() -> None:
    assert chosen([(0.5, 0.0, "a", 1), (0.5, 0.9, "b", 1)], 1) == [1]


def test_nothing_is_told_twice_while_there_is_something_else() -> None:
    beats = [(0.9, 0.0, "the fire", 1), (0.88, 0.0, "the fire", 1), (0.6, 0.0, "a wedding", 1)]
    assert chosen(beats, 2) == [0, 2]


def test_equal_ones_are_told_in_their_order() -> None:
    assert chosen([(0.5, 0.0, "", 1)] * 4, 3) == [0, 1, 2]


def test_of_nothing_nothing_is_told() -> None:
    empty = np.zeros(0)
    assert select(empty, empty, terms([]), empty.astype(np.int64), 10).tolist() == []
