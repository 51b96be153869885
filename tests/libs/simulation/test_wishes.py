import numpy as np
import pytest

from libs.domain.viewing import local_time
from libs.simulation.config import DAY_MS, SimulationConfig
from libs.simulation.moods import ATTRIBUTES
from libs.simulation.wishes import Wish
from libs.simulation.world import World, build_world


def _wishes(world: World, count: int, hour: int) -> list[Wish]:
    """Wishes of all profiles in turn on a Saturday, at that hour of their own."""
    rng = np.random.default_rng(4)
    saturday_ms = 1_766_793_600_000 - 7 * DAY_MS  # 2025-12-20T00:00Z
    wishes = []
    for place in range(count):
        index = place % len(world.profiles)
        zone = world.profiles[index].time_zone
        offset = local_time(saturday_ms, zone).utcoffset()
        assert offset is not None
        at_ms = saturday_ms + hour * 3_600_000 - int(offset.total_seconds() * 1000)
        wishes.append(world.wish(index, at_ms, rng))
    return wishes


def test_a_wish_is_for_something_available_in_the_context_of_the_viewer(world: World) -> None:
    for place, wish in enumerate(_wishes(world, 120, 20)):
        index = place % len(world.profiles)
        assert world.recommendable_ids[wish.row] == wish.title_id
        assert world.preferences(index).may_play(wish.row, wish.at_ms)
        assert wish.context.country == world.profiles[index].country
        assert wish.context.kids == world.profiles[index].kids


def test_the_same_seed_gives_the_same_wishes(world: World) -> None:
    assert _wishes(world, 20, 20) == _wishes(world, 20, 20)


def test_a_wish_has_the_mood_that_the_viewer_is_in(world: World) -> None:
    scores = world.catalogue.moods.scores
    wished = [
        scores[wish.row, ATTRIBUTES.index(wish.mood)]
        for wish in _wishes(world, 300, 20)
        if not wish.context.kids
    ]
    assert np.mean(wished) > 0.8


def test_late_nights_are_calmer_and_weekend_evenings_have_more_company(world: World) -> None:
    scores = world.catalogue.moods.scores

    def mean(hour: int, attribute: str) -> float:
        rows = [wish.row for wish in _wishes(world, 600, hour) if not wish.context.kids]
        return float(scores[rows, ATTRIBUTES.index(attribute)].mean())

    assert mean(2, "energy:calm") > mean(21, "energy:calm") + 0.15
    assert mean(21, "company:couple") > mean(8, "company:couple") + 0.1
    assert mean(14, "company:family") > mean(2, "company:family") + 0.2


def test_popularity_alone_does_not_find_what_is_wished() -> None:
    world = build_world(SimulationConfig(until_ms=1_767_225_600_000, profile_count=200))
    at_ms = world.config.until_ms - DAY_MS
    popularity = sum(world.oracle(index, at_ms) for index in range(0, 200, 4))
    places = np.empty(len(world.recommendable_ids), np.int64)
    places[np.argsort(-popularity)] = np.arange(len(places))
    rng = np.random.default_rng(9)
    ranks = [places[world.wish(place % 200, at_ms, rng).row] for place in range(400)]

    assert 60 < np.median(ranks) < 400


def test_an_unknown_profile_has_no_wish(world: World) -> None:
    with pytest.raises(KeyError):
        world.wish("nobody", world.config.until_ms, np.random.default_rng(1))


def test_where_nothing_is_available_there_is_nothing_to_wish_for(world: World) -> None:
    tiny = build_world(
        SimulationConfig(until_ms=world.config.until_ms, profile_count=1, title_count=1, days=1)
    )
    tiny.catalogue.opens_ms[:] = np.iinfo(np.int64).max

    with pytest.raises(ValueError, match="nothing is available"):
        tiny.wish(0, tiny.config.until_ms, np.random.default_rng(1))
