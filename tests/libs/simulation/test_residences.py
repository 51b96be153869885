"""Households that move: every event carries the time zone and country of its moment."""

import dataclasses
from datetime import timedelta

import pytest

from libs.domain.event import EventKind
from libs.domain.viewing import local_time
from libs.simulation.config import SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.residences import residence_at
from libs.simulation.world import World, build_world


@pytest.fixture(scope="module")
def moving(config: SimulationConfig) -> World:
    return build_world(dataclasses.replace(config, days=180, movers_share=0.5))


@pytest.fixture(scope="module")
def moving_histories(moving: World) -> list[ProfileHistory]:
    return list(moving.histories())


def test_every_event_carries_the_place_of_its_moment(
    moving: World, moving_histories: list[ProfileHistory]
) -> None:
    places_seen = 0
    for index, history in enumerate(moving_histories):
        residences = moving.residences(index)
        for event in history.events:
            place = residences[residence_at(residences, event.occurred_ms)]
            assert (event.context.time_zone, event.context.country) == (
                place.time_zone,
                place.country,
            )
        places_seen += len({event.context.time_zone for event in history.events}) > 1
    assert places_seen > 15


def test_a_stored_profile_lives_where_it_moved_last(moving: World) -> None:
    for index, profile in enumerate(moving.profiles):
        last = moving.residences(index)[-1]
        assert (profile.country, profile.time_zone) == (last.country, last.time_zone)


def test_a_household_moves_together_and_some_come_back(moving: World) -> None:
    by_account: dict[str, set[tuple[int, ...]]] = {}
    back = 0
    for index, profile in enumerate(moving.profiles):
        residences = moving.residences(index)
        times = tuple(one.from_ms for one in residences)
        assert list(times) == sorted(times)
        by_account.setdefault(profile.account_id, set()).add(times)
        back += len(residences) == 3 and residences[0].time_zone == residences[2].time_zone
    assert all(len(times) == 1 for times in by_account.values())
    assert back > 0


def test_nobody_is_moved_without_the_option(world: World) -> None:
    assert not world.moved
    assert len(world.residences(0)) == 1


def test_a_profile_that_stays_does_the_same_whoever_else_moves(
    config: SimulationConfig, world: World
) -> None:
    some = build_world(dataclasses.replace(config, movers_share=0.3))

    def what(history: ProfileHistory) -> list[tuple[int, str]]:
        return [(event.occurred_ms, event.title_id) for event in history.events]

    stayed = [index for index in range(60) if index not in some.moved]
    assert 20 < len(stayed) < 60
    for index in stayed[:10]:
        assert what(some.history(index)) == what(world.history(index))


def test_licences_of_the_country_of_the_moment_are_kept(
    moving: World, moving_histories: list[ProfileHistory]
) -> None:
    titles = {title.title_id: title for title in moving.titles}
    abroad = 0
    for index, history in enumerate(moving_histories):
        home = moving.residences(index)[0].country
        for event in history.events:
            if event.kind is not EventKind.PLAY:
                continue
            windows = titles[event.title_id].licence_windows
            abroad += event.context.country != home
            assert not windows or any(
                window.country in ("", event.context.country)
                and window.start_ms <= event.occurred_ms
                and (not window.end_ms or event.occurred_ms < window.end_ms)
                for window in windows
            )
    assert abroad > 100


def test_zones_change_their_offset_in_both_hemispheres_and_by_half_hours() -> None:
    world = build_world(
        SimulationConfig(
            until_ms=1_767_225_600_000, profile_count=250, title_count=60, days=400, movers_share=1
        )
    )
    january_ms, july_ms = 1_736_899_200_000, 1_752_537_600_000  # 2025-01-15, 2025-07-15
    zones = {place.time_zone for index in range(250) for place in world.residences(index)}
    winter = {zone: local_time(january_ms, zone).utcoffset() for zone in zones}
    summer = {zone: local_time(july_ms, zone).utcoffset() for zone in zones}

    def hours(span: timedelta | None) -> float:
        assert span is not None
        return span.total_seconds() / 3600

    changes = [hours(summer[zone]) - hours(winter[zone]) for zone in zones]
    assert {1.0, -1.0, -0.5, 0.0} <= set(changes)
    assert {0.5, 0.75} <= {hours(span) % 1 for span in winter.values()}
