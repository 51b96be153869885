"""Shares of profiles add up to the counters of titles, and can be taken out of them again."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind
from libs.features.event_columns import from_events
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_shares import TitleShares, decode_cells, encode_cells, title_shares
from libs.features.title_table import LiveTitleCounters
from tests.made_events import START_MS, assert_close, event_lists, watch


def shares_of(some: list[Event], cut: int) -> TitleShares:
    """Of one profile, made in two steps."""
    first = title_shares(from_events(some[:cut]), {})
    before = {
        key: (first.values[row], int(first.at_ms[row]))
        for row, key in enumerate(zip(first.countries, first.title_ids, strict=True))
    }
    last = title_shares(from_events(some[cut:]), before)
    changed = set(zip(last.countries, last.title_ids, strict=True))
    kept = [row for row, key in enumerate(before) if key not in changed]
    return TitleShares(
        tuple(first.countries[row] for row in kept) + last.countries,
        tuple(first.title_ids[row] for row in kept) + last.title_ids,
        np.concatenate([first.values[kept], last.values]),
        np.concatenate([first.at_ms[kept], last.at_ms]),
    )


@given(event_lists(most=20), st.randoms(use_true_random=False), st.integers(0, 20))
def test_shares_add_up_to_the_counters(some: list[Event], random: Random, cut: int) -> None:
    # Thumbs are no part of shares: what is kept for long are the events themselves.
    some = [event for event in some if event.kind is not EventKind.THUMB]
    whole = LiveTitleCounters()
    whole.add(from_events(some))
    shuffled = list(some)
    random.shuffle(shuffled)
    found = LiveTitleCounters()
    for profile_id in ("profile0", "profile1"):
        mine = [event for event in shuffled if event.profile_id == profile_id]
        found.add_shares(shares_of(mine, cut // 2))
    now_ms = START_MS + 10**10
    one, other = found.table(now_ms), whole.table(now_ms)
    assert one.title_ids == other.title_ids
    assert one.newest_ms == other.newest_ms
    np.testing.assert_allclose(one.counters, other.counters, rtol=1e-6)
    assert one.country_counters.keys() == other.country_counters.keys()
    for country, counters in one.country_counters.items():
        np.testing.assert_allclose(counters, other.country_counters[country], rtol=1e-6)


@given(event_lists(most=12))
def test_what_was_added_can_be_taken_out(some: list[Event]) -> None:
    live = LiveTitleCounters()
    live.add(from_events(some))
    before = live.table(START_MS + 10**10)
    shares = title_shares(from_events([watch("new", START_MS), watch("new2", START_MS - 1)]), {})
    live.add_shares(shares)
    live.remove_shares(shares)
    after = live.table(START_MS + 10**10)
    kept = dict(zip(after.title_ids, after.counters, strict=True))
    for title_id, counters in zip(before.title_ids, before.counters, strict=True):
        np.testing.assert_allclose(kept.pop(title_id), counters, rtol=1e-6, atol=1e-9)
    assert all(np.abs(counters).max() < 1e-9 for counters in kept.values())


def test_cells_are_what_is_not_zero() -> None:
    values = np.zeros((3, TITLE_COUNTER_COUNT))
    values[0, 3], values[2, :2] = 0.1, (1e-300, 7.0)
    encoded = [encode_cells(row) for row in values]
    assert [len(one) // 10 for one in encoded] == [1, 0, 2]
    assert_close(decode_cells(encoded), values)
    assert decode_cells([]).shape == (0, TITLE_COUNTER_COUNT)
