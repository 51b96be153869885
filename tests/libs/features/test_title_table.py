import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.features.counters import Counters, encode_counters
from libs.features.event_columns import from_events, without_thumbs
from libs.features.thumbs import thumb_shares
from libs.features.title_table import EMPTY, LiveTitleCounters, TitleChanges, aligned
from tests.made_events import START_MS, event_lists, watch

NOW_MS = START_MS + 100 * DAY_MS


@given(event_lists(), st.lists(st.integers(0, 12), max_size=3))
def test_counters_do_not_depend_on_how_events_are_batched(
    some: list[Event], cuts: list[int]
) -> None:
    whole, batched = LiveTitleCounters(), LiveTitleCounters()
    whole.add(from_events(some))
    edges = [0, *sorted(cuts), len(some)]
    for start, stop in itertools.pairwise(edges):
        batched.add(without_thumbs(from_events(some[start:stop])))
        batched.add_shares(thumb_shares(some[start:stop], some[:start]))
    one, other = whole.table(NOW_MS), batched.table(NOW_MS)
    assert one.title_ids == other.title_ids
    np.testing.assert_allclose(one.counters, other.counters, rtol=1e-6)
    assert one.country_counters.keys() == other.country_counters.keys()
    for country, counters in one.country_counters.items():
        np.testing.assert_allclose(counters, other.country_counters[country], rtol=1e-6)


def test_only_rows_that_changed_are_named() -> None:
    live = LiveTitleCounters()
    live.add(from_events([watch("a", START_MS, country="DE"), watch("b", START_MS, title_id="x")]))
    changed = live.add(from_events([watch("c", START_MS, title_id="x", country="NZ")]))
    assert sorted(live.rows.keys[row] for row in changed) == [("", "x"), ("NZ", "x")]


@given(event_lists(title_count=4))
def test_rows_are_encoded_together_as_each_alone(some: list[Event]) -> None:
    live = LiveTitleCounters()
    changed = live.add(from_events(some))
    wanted = [encode_counters(Counters(*live.row(row))) for row in changed.tolist()]
    assert live.encoded(changed) == wanted


def test_changes_replace_what_was_known() -> None:
    live = LiveTitleCounters()
    for value, at_ms in ((1.0, START_MS), (2.0, NOW_MS)):
        counters = np.full((1, 24), value)
        live.apply(TitleChanges(("",), ("a",), counters, np.array([at_ms]), last_change=1))
    table = live.table(NOW_MS)
    assert table.title_ids == ("a",)
    np.testing.assert_array_equal(table.counters, np.full((1, 24), 2.0))


def test_rows_are_zeros_where_nothing_is_known() -> None:
    live = LiveTitleCounters()
    live.add(from_events([watch("a", START_MS, title_id="b", country="DE")]))
    table = live.table(START_MS)
    rows = aligned(table, ["a", "b", "c"], "DE")
    assert rows.counters[:, 3].tolist() == rows.country_counters[:, 3].tolist() == [0.0, 0.5, 0.0]
    assert not aligned(table, ["b"], "NZ").country_counters.any()
    assert aligned(EMPTY, ["a", "b"], "").counters.shape == (2, 24)
