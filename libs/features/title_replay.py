"""Title counters as of any past time, from the log, to the same bits whatever was asked before.

The state at the end of each UTC day with events follows from that of the day with events before
it; the state at a time follows from that of the last such day that has ended. Which days have
events is up to the log alone, so neither the steps nor the bits depend on what was asked before,
and an event of a clock that is decades wrong costs one step.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.counters import decay
from libs.features.event_columns import EventColumns, between
from libs.features.title_counters import (
    TITLE_COUNTER_COUNT,
    TITLE_HALF_LIVES_MS,
    counted,
    sums,
)
from libs.features.title_table import CounterRows, TitleTable, table_of

# (from_ms exclusive, to_ms inclusive) -> the events between, in order.
ReadEvents = Callable[[int, int], EventColumns]

# Requests about the past come in runs of near times; a checkpoint is a copy of all counters.
KEPT_CHECKPOINTS: Final = 8

_BEFORE_ALL_MS: Final = -1


class _State(NamedTuple):
    """Every row's counters at one time; rows after the last are zeros."""

    at_ms: int
    values: NDArray[np.float64]  # (r, k)
    is_seen: NDArray[np.bool_]  # (r,)


class TitleReplay:
    """Replays the log of one tenant; not for several threads at once."""

    def __init__(self, read_events: ReadEvents) -> None:
        self._read_events = read_events
        self._rows = CounterRows()
        self._checkpoints: OrderedDict[int, _State] = OrderedDict()

    def table(self, as_of_ms: int, countries: Collection[str] | None = None) -> TitleTable:
        """The table of all events with occurred_ms ≤ `as_of_ms`, decayed to then."""
        boundary_ms = as_of_ms // DAY_MS * DAY_MS
        state = self._nearest(boundary_ms)
        columns = self._read_events(state.at_ms, as_of_ms)
        times = columns.occurred_ms
        ends_ms = _day_ends(times[times <= boundary_ms])
        start = 0
        for left, day_ms in zip(range(len(ends_ms), 0, -1), ends_ms, strict=True):
            stop = int(np.searchsorted(times, day_ms, side="right"))
            state = self._advanced(state, between(columns, start, stop), day_ms)
            start = stop
            if left <= KEPT_CHECKPOINTS // 2:
                self._keep(state)
        last = self._advanced(state, between(columns, start, len(columns)), as_of_ms)
        return table_of(self._rows.keys, last.values, last.is_seen, as_of_ms, countries)

    def invalidate_after(self, ms: int) -> None:
        """Forget what an event at `ms` that arrived only now would have changed."""
        for boundary_ms in [at_ms for at_ms in self._checkpoints if at_ms >= ms]:
            del self._checkpoints[boundary_ms]

    def _nearest(self, boundary_ms: int) -> _State:
        earlier = [at_ms for at_ms in self._checkpoints if at_ms <= boundary_ms]
        if not earlier:
            nothing = np.zeros((0, TITLE_COUNTER_COUNT))
            return _State(_BEFORE_ALL_MS, nothing, np.zeros(0, np.bool_))
        self._checkpoints.move_to_end(max(earlier))
        return self._checkpoints[max(earlier)]

    def _keep(self, state: _State) -> None:
        self._checkpoints[state.at_ms] = state
        self._checkpoints.move_to_end(state.at_ms)
        while len(self._checkpoints) > KEPT_CHECKPOINTS:
            self._checkpoints.popitem(last=False)

    def _advanced(self, state: _State, columns: EventColumns, to_ms: int) -> _State:
        everywhere, own = self._rows.of(columns, counted(columns))
        values = np.zeros((len(self._rows), TITLE_COUNTER_COUNT))
        known = len(state.values)
        values[:known] = decay(state.values, state.at_ms, to_ms, TITLE_HALF_LIVES_MS)
        is_seen = np.zeros(len(values), np.bool_)
        is_seen[:known] = state.is_seen
        until = np.full(len(values), to_ms, np.int64)
        if len(columns):
            for rows in (everywhere, own):
                values += sums(columns, rows, len(values), until)
                is_seen[rows[rows >= 0]] = True
        return _State(to_ms, values, is_seen)


def _day_ends(times: NDArray[np.int64]) -> list[int]:
    """The ends, ascending, of the UTC days that have any of `times`; a day includes its end."""
    ends: list[int] = np.unique(-(-times // DAY_MS) * DAY_MS).tolist()
    return ends
