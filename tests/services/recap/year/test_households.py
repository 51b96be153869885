from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.households import adjusted_rand, judge
from services.recap.year.households import LEAST_SESSIONS, Household, Sessions, assess
from tests.made_sessions import KnownProfile, simulated_profiles

GENRES = 8


def _person(
    rng: np.random.Generator,
    count: int,
    *,
    genres: tuple[int, ...],
    hours: tuple[int, int],
    devices: tuple[int, ...],
    kids: bool = False,
) -> Sessions:
    """Somebody with one genre a session, on any day of the week."""
    genre = rng.choice(genres, count)
    return Sessions(
        start_ms=rng.integers(10**12, 2 * 10**12, count),
        local_hour=24.0 * rng.integers(7, size=count) + rng.uniform(*hours, count),
        device=rng.choice(devices, count),
        content=np.eye(GENRES)[genre],
        kids_share=np.full(count, float(kids)),
        whole=rng.integers(10**9, size=count),
    )


def _together(*people: Sessions) -> tuple[Sessions, NDArray[np.int64]]:
    """All sessions of several people in time order, and whose each is."""
    whose = np.repeat(np.arange(len(people)), [len(one.start_ms) for one in people])
    sessions = Sessions(
        np.concatenate([one.start_ms for one in people]),
        np.concatenate([one.local_hour for one in people]),
        np.concatenate([one.device for one in people]),
        np.concatenate([one.content for one in people]),
        np.concatenate([one.kids_share for one in people]),
        np.concatenate([one.whole for one in people]),
    )
    order = np.argsort(sessions.start_ms, kind="stable")
    return sessions.take(order), whose[order]


def _couple(rng: np.random.Generator) -> tuple[Sessions, NDArray[np.int64]]:
    return _together(
        _person(rng, 80, genres=(0, 1), hours=(6, 12), devices=(2,)),
        _person(rng, 60, genres=(2, 3), hours=(18, 24), devices=(1,)),
    )


def _family(rng: np.random.Generator) -> tuple[Sessions, NDArray[np.int64]]:
    return _together(
        _person(rng, 80, genres=(0, 1), hours=(18, 24), devices=(1, 2)),
        _person(rng, 60, genres=(2, 3), hours=(15, 18), devices=(3,), kids=True),
    )


def test_two_people_with_lives_of_their_own_are_told_apart() -> None:
    sessions, whose = _couple(np.random.default_rng(1))
    house = assess(sessions)

    assert house.is_shared
    assert house.likelihood is not None
    assert house.likelihood > 0.95
    assert house.cluster_count == 2
    assert house.kids_cluster is None
    assert adjusted_rand(whose, house.cluster) > 0.9
    assert len(house.sessions_of(0)) >= len(house.sessions_of(1))


def test_one_person_with_many_tastes_and_devices_stays_one() -> None:
    sessions = _person(
        np.random.default_rng(2), 150, genres=(0, 1, 2, 3), hours=(7, 24), devices=(1, 2, 3)
    )
    house = assess(sessions)

    assert not house.is_shared
    assert house.cluster_count == 1
    assert not house.cluster.any()


def test_a_child_on_an_adults_profile_is_a_cluster_of_its_own() -> None:
    sessions, whose = _family(np.random.default_rng(3))
    house = assess(sessions)

    assert house.is_shared
    assert house.kids_cluster == house.cluster_count - 1
    assert house.sessions_of(house.kids_cluster).tolist() == np.flatnonzero(whose == 1).tolist()


@pytest.mark.parametrize("count", [0, 1, LEAST_SESSIONS - 1])
def test_few_sessions_tell_nothing(count: int) -> None:
    sessions = _person(
        np.random.default_rng(4), count, genres=(0, 1), hours=(6, 12), devices=(1, 2)
    )
    house = assess(sessions)

    assert house.likelihood is None
    assert not house.is_shared
    assert house.cluster.tolist() == [0] * count


def test_sessions_all_alike_are_one_person_without_a_warning() -> None:
    one = _person(np.random.default_rng(5), 40, genres=(0,), hours=(20, 21), devices=(1,))
    house = assess(replace(one, local_hour=np.full(40, 20.5)))

    assert not house.is_shared


def test_sessions_of_which_nothing_is_known_can_still_be_split() -> None:
    sessions, _ = _family(np.random.default_rng(8))
    house = assess(replace(sessions, content=np.zeros_like(sessions.content)))

    assert house.is_shared == (house.cluster_count > 1)


@pytest.mark.parametrize("count", [LEAST_SESSIONS, 40, 100, 300])
def test_however_few_the_sessions_one_person_is_hardly_ever_split(count: int) -> None:
    rng = np.random.default_rng(6)
    split = [
        assess(_person(rng, count, genres=(0, 1, 2), hours=(8, 23), devices=(1, 2))).is_shared
        for _ in range(200)
    ]
    assert np.mean(split) <= 0.05


@st.composite
def _any_sessions(draw: st.DrawFn) -> Sessions:
    """Sessions of a couple, a family or one person, with anything changed at random."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sessions, _ = (_couple if draw(st.booleans()) else _family)(rng)
    count = draw(st.integers(0, len(sessions.start_ms)))
    sessions = sessions.take(rng.permutation(len(sessions.start_ms))[:count])
    noise = draw(st.sampled_from([0.0, 0.1, 0.5]))
    is_noise = rng.random(count) < noise
    return replace(
        sessions,
        kids_share=np.where(is_noise, rng.random(count), sessions.kids_share),
        content=np.where(is_noise[:, None], 0.0, sessions.content),
        device=np.where(is_noise, rng.integers(6, size=count), sessions.device),
    )


@given(_any_sessions())
@settings(max_examples=60, deadline=None)
def test_no_session_of_childrens_titles_is_in_an_adults_cluster(sessions: Sessions) -> None:
    house = assess(sessions)

    assert house.cluster.shape == sessions.start_ms.shape
    assert set(house.cluster.tolist()) == set(range(house.cluster_count)) or not len(house.cluster)
    if house.is_shared:
        is_kids = sessions.kids_share >= 0.5
        assert (house.kids_cluster is not None) == is_kids.any()
        for cluster in range(house.cluster_count):
            rows = house.sessions_of(cluster)
            assert is_kids[rows].all() if cluster == house.kids_cluster else not is_kids[rows].any()
    else:
        assert house.kids_cluster is None
        assert house.cluster_count == 1


@given(_any_sessions(), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_sessions_does_not_matter(sessions: Sessions, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(sessions.start_ms))
    house, shuffled = assess(sessions), assess(sessions.take(order))

    assert shuffled.is_shared == house.is_shared
    assert shuffled.kids_cluster == house.kids_cluster
    assert shuffled.cluster.tolist() == house.cluster[order].tolist()
    assert shuffled.likelihood == pytest.approx(house.likelihood)


def test_the_same_sessions_are_always_assessed_the_same() -> None:
    def told(house: Household) -> tuple[object, ...]:
        return house.likelihood, house.is_shared, house.cluster.tolist(), house.kids_cluster

    sessions, _ = _couple(np.random.default_rng(7))
    assert told(assess(sessions)) == told(assess(sessions))


def _simulated(days: int) -> list[KnownProfile]:
    profiles = simulated_profiles(51, 240, days)
    return [one for one in profiles if len(one.member) >= LEAST_SESSIONS]


def test_a_quarter_of_a_year_splits_one_person_hardly_ever() -> None:
    assert judge(_simulated(91))["false_split"]["share"] <= 0.05


def test_sharing_is_found_in_a_simulated_service_that_nothing_was_fitted_on() -> None:
    figures = judge(_simulated(364))

    assert figures["auc"] >= 0.85
    assert figures["false_split"]["share"] <= 0.05
    assert figures["found"]["share"] > 0.4
    assert figures["childs_sessions_in_found"] > 1_000
    assert figures["childs_sessions_with_adults"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("local_hour", np.array([168.0, 1.0])),
        ("local_hour", np.array([np.nan, 1.0])),
        ("kids_share", np.array([1.5, 0.0])),
        ("content", np.array([[np.nan], [1.0]])),
        ("content", np.array([1.0, 2.0])),
        ("content", np.ones((2, 0))),
        ("device", np.array([-1, 1])),
        ("device", np.array([1])),
        ("whole", np.array([1])),
    ],
)
def test_nonsense_is_rejected(field: str, value: Any) -> None:
    good = Sessions(
        start_ms=np.array([1, 2]),
        local_hour=np.array([0.0, 1.0]),
        device=np.array([1, 1]),
        content=np.ones((2, 1)),
        kids_share=np.zeros(2),
        whole=np.array([0, 0]),
    )
    with pytest.raises(ValueError, match="must"):
        replace(good, **{field: value})
