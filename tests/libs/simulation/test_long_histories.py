"""Sixty weeks: across a leap day and two new years, without pages."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import numpy as np
import pytest

from libs.domain.event import EventKind
from libs.simulation.config import DAY_MS, Detail, SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.journal import Journal
from libs.simulation.logging_policy import build_policy
from libs.simulation.watching import Viewer
from libs.simulation.world import World, build_world

UNTIL_MS = 1_735_689_600_000 + 20 * DAY_MS  # 2025-01-21T00:00Z


@pytest.fixture(scope="module")
def long_world() -> World:
    return build_world(
        SimulationConfig(
            until_ms=UNTIL_MS, profile_count=40, title_count=150, days=60 * 7, detail=Detail.PLAYS
        )
    )


@pytest.fixture(scope="module")
def long_histories(long_world: World) -> list[ProfileHistory]:
    return list(long_world.histories())


def test_there_are_plays_on_nearly_every_day_the_leap_day_included(
    long_histories: list[ProfileHistory],
) -> None:
    days = {
        datetime.fromtimestamp(event.occurred_ms / 1000, UTC).date()
        for history in long_histories
        for event in history.events
    }

    assert {date(2023, 12, 31), date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 1)} <= days
    assert len(days) > 400


def test_without_pages_there_is_only_playback_and_opinion(
    long_histories: list[ProfileHistory],
) -> None:
    kinds = {event.kind for history in long_histories for event in history.events}

    assert not any(history.decisions for history in long_histories)
    assert kinds == {
        EventKind.LOGIN,
        EventKind.PLAY,
        EventKind.PROGRESS,
        EventKind.PAUSE,
        EventKind.SEEK,
        EventKind.STOP,
        EventKind.COMPLETE,
        EventKind.THUMB,
        EventKind.RATING,
    }


def test_what_was_loved_draws_again_after_months_and_not_before(long_world: World) -> None:
    preferences = long_world.preferences(0)
    viewer = Viewer(
        catalogue=long_world.catalogue,
        preferences=preferences,
        shown=preferences,
        policy=build_policy(preferences, rng=np.random.default_rng(1)),
        journal=Journal("run", long_world.profiles[0], UNTIL_MS),
        rng=np.random.default_rng(1),
        fatigue=np.array([-6.0, -6.0, -5.0]),
        unfinished={},
        listed=set(),
    )
    viewer.loved.extend([(0, 0, -6.0), (5 * DAY_MS, 1, -6.0)])

    viewer.recover(119 * DAY_MS)
    assert viewer.fatigue.tolist() == [-6.0, -6.0, -5.0]
    viewer.recover(121 * DAY_MS)
    viewer.recover(122 * DAY_MS)
    assert viewer.fatigue == pytest.approx([-2.4, -6.0, -5.0])


def test_tastes_drift_over_the_year(
    long_world: World, long_histories: list[ProfileHistory]
) -> None:
    genres = {title.title_id: title.genres[0] for title in long_world.titles}
    quarters: dict[int, Counter[str]] = defaultdict(Counter)
    moved = 0.0
    for history in long_histories:
        quarters.clear()
        for event in history.events:
            if event.kind is EventKind.COMPLETE:
                quarter = 4 * (event.occurred_ms - long_world.config.start_ms) // (420 * DAY_MS)
                quarters[quarter][genres[event.title_id]] += 1
        near, far = _overlap(quarters[0], quarters[1]), _overlap(quarters[0], quarters[3])
        moved += near - far

    assert moved > 1.0


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    """The share of two mixes that is common; 0 where either is empty."""
    if not one or not other:
        return 0.0
    return sum(min(one[key] / one.total(), other[key] / other.total()) for key in one)
