import dataclasses
import itertools

import numpy as np
import pytest

from libs.domain.event import EventKind
from libs.simulation.config import SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.world import World, build_world


def test_the_same_seed_and_time_give_the_same_world(config: SimulationConfig, world: World) -> None:
    again = build_world(config)

    assert again.titles == world.titles
    assert again.profiles == world.profiles
    assert list(itertools.islice(again.histories(), 5)) == list(
        itertools.islice(world.histories(), 5)
    )


def test_another_seed_gives_another_world(config: SimulationConfig, world: World) -> None:
    other = build_world(dataclasses.replace(config, seed=config.seed + 1))

    assert other.titles != world.titles
    assert other.history(0).events != world.history(0).events


def test_a_history_depends_on_no_other_profile(
    world: World, histories: list[ProfileHistory]
) -> None:
    for index in (41, 7, 23):
        assert world.history(index) == histories[index]


def test_two_runs_never_share_an_id(
    config: SimulationConfig, histories: list[ProfileHistory]
) -> None:
    later = build_world(dataclasses.replace(config, until_ms=config.until_ms + 86_400_000))

    ours = {event.event_id for event in histories[0].events}
    theirs = {event.event_id for event in later.history(0).events}
    assert ours
    assert ours.isdisjoint(theirs)


def test_progress_counts_every_event(world: World, histories: list[ProfileHistory]) -> None:
    told: list[int] = []

    for history in itertools.islice(world.histories(told.append), 6):
        assert told[-1] == len(history.events)
    assert told == [len(history.events) for history in histories[:6]]


@pytest.mark.parametrize("target", [2_000, 30_000])
def test_activity_is_scaled_to_come_near_the_events_wanted(
    config: SimulationConfig, target: int
) -> None:
    scaled = build_world(dataclasses.replace(config, events_target=target))

    count = sum(len(history.events) for history in scaled.histories())
    assert count == pytest.approx(target, rel=0.15)


def test_the_oracle_takes_an_index_or_an_id(config: SimulationConfig, world: World) -> None:
    by_index = world.oracle(3, config.until_ms)

    assert by_index.shape == (len(world.recommendable_ids),)
    assert np.array_equal(by_index, world.oracle("p000003", config.until_ms))


@pytest.mark.parametrize("profile_id", ["", "p", "p000060", "p3", "x000003", "p00000²"])
def test_an_unknown_profile_has_no_oracle(
    config: SimulationConfig, world: World, profile_id: str
) -> None:
    with pytest.raises(KeyError):
        world.oracle(profile_id, config.until_ms)


def test_most_kinds_of_events_happen(histories: list[ProfileHistory]) -> None:
    kinds = {event.kind for history in histories for event in history.events}

    assert kinds >= {
        EventKind.IMPRESSION,
        EventKind.CLICK,
        EventKind.PLAY,
        EventKind.PROGRESS,
        EventKind.PAUSE,
        EventKind.SEEK,
        EventKind.STOP,
        EventKind.COMPLETE,
        EventKind.THUMB,
        EventKind.RATING,
        EventKind.MY_LIST,
        EventKind.SEARCH,
        EventKind.ROW_SCROLL,
        EventKind.DWELL,
        EventKind.LOGIN,
    }


@pytest.mark.parametrize(("profiles", "titles", "days"), [(1, 1, 1), (3, 20, 3), (2, 5, 10)])
def test_the_smallest_worlds_work(
    config: SimulationConfig, profiles: int, titles: int, days: int
) -> None:
    tiny = build_world(
        SimulationConfig(
            until_ms=config.until_ms, profile_count=profiles, title_count=titles, days=days
        )
    )

    assert len(list(tiny.histories())) == profiles
    assert np.isfinite(tiny.oracle(0, config.until_ms)).all()
