import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.households import adjusted_rand
from services.recap.year.adults import MOST_PEOPLE, Views, tell_apart

GENRES, HOURS, DEVICES = 10, 16, 3


def _couple(rng: np.random.Generator, count: int) -> tuple[Views, NDArray[np.int64]]:
    """Two with series of their own, on one screen at hours that overlap; no session tells much."""
    whose = rng.integers(2, size=count)
    whole = rng.integers(8, size=count) + 8 * whose
    # A series is of any genre: what tells people apart is when and where they watch.
    genre = (whole * 7) % GENRES
    hour = np.where(rng.random(count) < 0.7, 3 * whose + rng.integers(5, size=count), 9)
    device = np.where(rng.random(count) < 0.7, whose, 2)
    views = Views(np.eye(GENRES)[genre], np.eye(HOURS)[hour], np.eye(DEVICES)[device], whole)
    return views, whose


def _each_alone(views: Views) -> Views:
    return Views(views.content, views.hours, views.devices, np.arange(len(views.whole)))


def test_what_they_follow_tells_people_apart() -> None:
    found: dict[str, list[float]] = {"threads": [], "sessions": []}
    for seed in range(20):
        views, whose = _couple(np.random.default_rng(seed), 160)
        found["threads"].append(adjusted_rand(whose, tell_apart(views, 2)))
        found["sessions"].append(adjusted_rand(whose, tell_apart(_each_alone(views), 2)))
    assert np.mean(found["threads"]) > 0.8
    assert np.mean(found["threads"]) > np.mean(found["sessions"]) + 0.2


def test_one_person_is_hardly_ever_parted_where_one_will_do() -> None:
    parted = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(20, 300))
        views = Views(
            np.eye(GENRES)[rng.integers(4, size=count)],
            np.eye(HOURS)[rng.integers(HOURS, size=count)],
            np.eye(DEVICES)[rng.integers(DEVICES, size=count)],
            rng.integers(40, size=count),
        )
        parted += bool(tell_apart(views, 1).any())
    assert parted <= 5


@st.composite
def _any_views(draw: st.DrawFn) -> Views:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    views, _ = _couple(rng, draw(st.integers(1, 60)))
    rows = rng.random(len(views.whole)) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    content = np.where(rows[:, None], 0.0, views.content)
    return Views(content, views.hours, views.devices, views.whole // draw(st.integers(1, 20)))


@given(_any_views(), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_a_thread_is_one_persons(views: Views, least: int) -> None:
    found = tell_apart(views, least)
    assert found.shape == views.whole.shape
    assert set(found.tolist()) == set(range(int(found.max()) + 1))
    assert found.max() < MOST_PEOPLE
    for whole in set(views.whole.tolist()):
        assert len(set(found[views.whole == whole].tolist())) == 1


@pytest.mark.parametrize("least", [1, 2])
def test_sessions_all_alike_are_one_persons_without_a_warning(least: int) -> None:
    count = 30
    views = Views(
        np.zeros((count, GENRES)),
        np.eye(HOURS)[np.full(count, 3)],
        np.eye(1)[np.zeros(count, int)],
        np.zeros(count, np.int64),
    )
    assert tell_apart(views, least).tolist() == [0] * count
