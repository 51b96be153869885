from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.features.profile_state import (
    EMPTY,
    PROFILE_COUNTER_NAMES,
    ProfileReplay,
    decode_state,
    encode_profile_counters,
    encode_records,
    replay,
    unexpired,
)
from libs.features.title_record import SIGHT_TTL_MS
from tests.made_events import START_MS, assert_same_state, event_lists, impression, watch

one_profile = event_lists(profile_count=1, title_count=3)


@given(one_profile, st.randoms(use_true_random=False))
def test_a_replay_gives_the_same_bits_in_any_order(some: list[Event], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    one, other = replay(some), replay(shuffled)
    assert one.title_ids == other.title_ids
    assert encode_records(one.records) == encode_records(other.records)
    assert encode_profile_counters(one) == encode_profile_counters(other)


@given(one_profile, st.integers(START_MS, START_MS + 40 * DAY_MS))
def test_a_state_on_the_way_is_that_of_a_replay_until_there(some: list[Event], cut_ms: int) -> None:
    on_the_way = ProfileReplay()
    earlier = [event for event in some if event.occurred_ms < cut_ms]
    on_the_way.advance(earlier)
    assert encode_records(on_the_way.state().records) == encode_records(replay(earlier).records)
    on_the_way.advance([event for event in some if event.occurred_ms >= cut_ms])
    whole = replay(some)
    assert encode_records(on_the_way.state().records) == encode_records(whole.records)
    assert encode_profile_counters(on_the_way.state()) == encode_profile_counters(whole)


@given(one_profile)
def test_a_state_survives_its_bytes(some: list[Event]) -> None:
    state = replay(some)
    found = decode_state(
        state.title_ids, encode_records(state.records), encode_profile_counters(state)
    )
    assert_same_state(found, state)


def test_no_bytes_are_the_empty_state() -> None:
    assert decode_state((), b"", b"") is EMPTY
    assert_same_state(replay([]), EMPTY)


def test_every_counter_decays_by_itself() -> None:
    state = replay(
        [
            impression("a", START_MS),
            watch("b", START_MS + 60 * DAY_MS),
            impression("c", START_MS + 120 * DAY_MS),
        ]
    )
    found = dict(zip(PROFILE_COUNTER_NAMES, state.counters.values, strict=True))
    assert found["impressions"] == pytest.approx(1.25)
    assert found["engagement"] == pytest.approx(0.25)
    assert found["engagement_device_unspecified"] == pytest.approx(0.25)
    assert np.sum([found[f"engagement_daypart_{part}"] for part in range(8)]) == pytest.approx(0.25)
    assert state.title_ids == ("title0",)


def test_a_state_says_how_old_it_is() -> None:
    state = replay([watch("a", START_MS), impression("b", START_MS + 5)])
    assert state.age_ms(START_MS + 7) == 2
    assert state.age_ms(START_MS) == 0
    assert EMPTY.age_ms(START_MS) is None


def test_sights_of_long_ago_have_expired_and_nothing_else_has() -> None:
    some = [
        impression("a", START_MS),
        impression("b", START_MS, title_id="title1"),
        watch("c", START_MS + 1, title_id="title1"),
        impression("d", START_MS + int(SIGHT_TTL_MS), title_id="title2"),
    ]
    state = replay(some)
    assert unexpired(state, START_MS + int(SIGHT_TTL_MS)) is state
    kept = unexpired(state, START_MS + int(SIGHT_TTL_MS) + 2)
    assert kept.title_ids == ("title1", "title2")
    played, shown = kept.records
    assert (played["impressions"], played["shown_ms"]) == (0.0, 0)
    assert played["watched_ms"] == state.records[1]["watched_ms"] == 5_000
    assert shown.tobytes() == state.records[2].tobytes()
    assert kept.newest_ms == state.newest_ms
    assert state.records[0]["impressions"] == 1.0  # what was given stays as it is
    assert unexpired(kept, START_MS + int(SIGHT_TTL_MS) + 2).title_ids == kept.title_ids
