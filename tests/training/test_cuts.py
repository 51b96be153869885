import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import DAY_MS
from training.cuts import choose_cuts

START_MS = 20_000 * DAY_MS


@given(st.lists(st.integers(0, 400 * DAY_MS), min_size=1, max_size=60))
def test_labels_to_learn_from_end_before_those_to_stop_by_and_these_before_those_to_judge(
    times: list[int],
) -> None:
    occurred_ms = np.sort(np.array(times, dtype=np.int64)) + START_MS
    until_ms = int(occurred_ms[-1]) + 1
    cuts = choose_cuts(occurred_ms, until_ms)
    assert {cut.end_ms for cut in cuts.training} == {cuts.stopping.time_ms}
    assert cuts.stopping.end_ms == cuts.evaluation.time_ms
    assert cuts.evaluation.end_ms == until_ms
    assert all(cut.horizon_ms >= 0 for cut in cuts.all)
    assert cuts.evaluation.horizon_ms > 0


def test_even_events_over_weeks_are_cut_at_midnight() -> None:
    occurred_ms = START_MS + np.arange(0, 60 * DAY_MS, DAY_MS // 7)
    cuts = choose_cuts(occurred_ms, START_MS + 60 * DAY_MS)
    days = [(cut.time_ms - START_MS) / DAY_MS for cut in cuts.all]
    assert days == [12, 18, 24, 30, 36, 42, 48, 54]


def test_a_long_thin_tail_does_not_empty_the_windows() -> None:
    dense = START_MS + np.arange(0, DAY_MS, 1000)
    tail = START_MS + np.arange(DAY_MS, 100 * DAY_MS, DAY_MS)
    occurred_ms = np.concatenate((dense, tail))
    for cut in choose_cuts(occurred_ms, int(occurred_ms[-1]) + 1).all:
        inside = (cut.time_ms <= occurred_ms) & (occurred_ms < cut.end_ms)
        assert inside.mean() > 0.09
