"""Profiles that several people watch on: known to tests, in nothing that services see."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from libs.domain.event import EventKind
from libs.domain.title import KIDS_MATURITY_YEARS
from libs.domain.viewing import ViewingContext, local_time
from libs.simulation.config import SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.world import World, build_world


@pytest.fixture(scope="module")
def shared(config: SimulationConfig) -> World:
    return build_world(dataclasses.replace(config, days=120, shared_share=0.6))


@pytest.fixture(scope="module")
def shared_histories(shared: World) -> list[ProfileHistory]:
    return list(shared.histories())


def test_two_to_four_people_watch_on_a_share_of_the_adults_profiles(shared: World) -> None:
    sizes = [len(shared.members(index)) for index in range(len(shared.profiles))]
    adults = [
        size
        for size, profile in zip(sizes, shared.profiles, strict=True)
        if not profile.kids and profile.maturity_limit_years is None
    ]

    assert {1, 2, 3} <= set(sizes) <= {1, 2, 3, 4}
    assert 0.4 < np.mean([size > 1 for size in adults]) < 0.8
    assert sum(size > 1 for size in sizes) == sum(size > 1 for size in adults)


def test_the_first_member_is_an_adult_where_several_share(shared: World) -> None:
    for index in range(len(shared.profiles)):
        members = shared.members(index)
        assert len(members) == 1 or not members[0].is_child


def test_every_session_has_one_known_member(
    shared: World, shared_histories: list[ProfileHistory]
) -> None:
    for index, history in enumerate(shared_histories):
        sessions = {event.session_id for event in history.events}
        assert sessions <= set(history.member_of)
        assert set(history.member_of.values()) <= set(range(len(shared.members(index))))
    busy = [set(history.member_of.values()) for history in shared_histories]
    assert sum(len(members) > 1 for members in busy) > 15


def test_no_event_or_stored_profile_tells_of_members(
    shared_histories: list[ProfileHistory],
) -> None:
    for history in shared_histories:
        for event in history.events:
            assert event.profile_id == history.profile_id
            assert not event.context.kids or all(m == 0 for m in history.member_of.values())


def test_children_watch_childrens_titles_in_the_late_afternoon(
    shared: World, shared_histories: list[ProfileHistory]
) -> None:
    maturity = {title.title_id: title.maturity_years for title in shared.titles}
    hours, plays = [], 0
    for index, history in enumerate(shared_histories):
        members = shared.members(index)
        if len(members) == 1:
            continue
        for event in history.events:
            if event.kind is not EventKind.PLAY:
                continue
            if members[history.member_of[event.session_id]].is_child:
                plays += 1
                assert maturity[event.title_id] <= KIDS_MATURITY_YEARS
                local = local_time(event.occurred_ms, event.context.time_zone)
                if local.weekday() < 5:
                    hours.append(local.hour)
    assert plays > 100
    assert np.mean([15 <= hour < 20 for hour in hours]) > 0.6
    assert max(hours) < 24 - 1


def test_members_differ_in_taste_hours_and_devices(shared: World) -> None:
    for index in range(len(shared.profiles)):
        first, *others = shared.members(index)
        for other in others:
            assert not np.array_equal(first.taste.interests[0, 0], other.taste.interests[0, 0])
            assert not np.allclose(first.taste.daypart_shares, other.taste.daypart_shares)
            assert not np.allclose(first.taste.device_shares, other.taste.device_shares)


def test_the_oracle_knows_when_the_child_watches(shared: World) -> None:
    kids_titles = shared.catalogue.traits.maturity_years <= KIDS_MATURITY_YEARS
    day_ms = shared.config.start_ms + 61 * 86_400_000
    lifts = []
    for index in range(60):
        if not any(member.is_child for member in shared.members(index)[1:]):
            continue
        zone = shared.profiles[index].time_zone
        shift_ms = int((local_time(day_ms, zone).utcoffset() or timedelta()).total_seconds() * 1000)
        afternoon, night = (
            shared.oracle(index, day_ms + hour * 3_600_000 - shift_ms, ViewingContext(zone))
            for hour in (16, 22)
        )
        assert 0 < afternoon.sum() <= 1
        lifts.append(
            afternoon[kids_titles].sum() / afternoon.sum() - night[kids_titles].sum() / night.sum()
        )
    assert len(lifts) > 5
    assert np.mean(lifts) > 0.1


def test_a_profile_of_one_does_the_same_whoever_else_shares(
    config: SimulationConfig, world: World
) -> None:
    some = build_world(dataclasses.replace(config, shared_share=0.4))

    def what(history: ProfileHistory) -> list[tuple[int, str]]:
        return [(event.occurred_ms, event.title_id) for event in history.events]

    alone = [index for index in range(60) if len(some.members(index)) == 1]
    assert 25 < len(alone) < 60
    for index in alone[:10]:
        assert what(some.history(index)) == what(world.history(index))
