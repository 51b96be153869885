"""Title counters as of any past time, from the log, to the same bits whatever was asked before.

The state at the end of each UTC day with events follows from that of the one before and the
day's events; from the last of them the ends of the hours with events lead on in the same way to
the time that is asked for. So the way to a time depends on the events alone.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.faults import HistoryCompacted
from libs.features.counter_rows import CounterRows
from libs.features.counters import decay
from libs.features.event_columns import EventColumns, between
from libs.features.title_counters import (
    TITLE_COUNTER_COUNT,
    TITLE_HALF_LIVES_MS,
    counted,
    sums,
)
from libs.features.title_table import TableLayout, TitleTable

# (from_ms exclusive, to_ms inclusive) -> the events between, in order.
ReadEvents = Callable[[int, int], EventColumns]


class TitleBase(NamedTuple):
    """Every row's counters at one time, of events that are no longer there among others."""

    at_ms: int
    keys: tuple[tuple[str, str], ...]  # r (country, title id)
    values: NDArray[np.float64]  # (r, k)
    newest_ms: int = 0  # the newest event that is counted; 0 for none


ReadBase = Callable[[], TitleBase]

# What there is before any event.
NO_BASE: Final = TitleBase(-1, (), np.zeros((0, TITLE_COUNTER_COUNT)))

# Requests about the past come in runs of near times; a checkpoint is a copy of all counters.
# Days and hours have as many each, so that the hours of one day do not drive out its beginning.
KEPT_CHECKPOINTS: Final = 8

_HOUR_MS: Final = 3_600_000
_STEPS_MS: Final = (DAY_MS, _HOUR_MS)


class _State(NamedTuple):
    """Every row's counters at one time; rows after the last are zeros."""

    at_ms: int
    values: NDArray[np.float64]  # (r, k)
    is_seen: NDArray[np.bool_]  # (r,)
    newest_ms: int  # the newest event that is counted; 0 for none


class TitleReplay:
    """Replays the log of one tenant; not for several threads at once."""

    def __init__(self, read_events: ReadEvents, read_base: ReadBase = lambda: NO_BASE) -> None:
        """`read_base` gives the counters to go on from; times before those are not answered."""
        self._read_events = read_events
        self._read_base = read_base
        self._first: _State | None = None
        self._rows = CounterRows()
        self._layout = TableLayout.of([])
        # By the length of a step: the states that were come by last.
        self._checkpoints: dict[int, OrderedDict[int, _State]] = {
            step_ms: OrderedDict() for step_ms in _STEPS_MS
        }

    def table(self, as_of_ms: int, countries: Collection[str] | None = None) -> TitleTable:
        """The table of all events with occurred_ms ≤ `as_of_ms`, decayed to then.

        Raises HistoryCompacted for a time before the base.
        """
        state = self._nearest(as_of_ms)
        columns = self._read_events(state.at_ms, as_of_ms)
        times = columns.occurred_ms
        start = 0
        for step_ms in _STEPS_MS:
            passed: deque[_State] = deque(maxlen=KEPT_CHECKPOINTS // 2)
            while start < len(columns):
                end_ms = -(-int(times[start]) // step_ms) * step_ms
                if end_ms > as_of_ms:
                    break
                stop = int(np.searchsorted(times, end_ms, side="right"))
                state = self._advanced(state, between(columns, start, stop), end_ms)
                passed.append(state)
                start = stop
            self._keep(step_ms, passed)
        last = self._advanced(state, between(columns, start, len(columns)), as_of_ms)
        if self._layout.row_count != len(self._rows):
            self._layout = TableLayout.of(self._rows.keys)
        return self._layout.table(last.values, last.is_seen, as_of_ms, countries, last.newest_ms)

    def invalidate_after(self, ms: int) -> None:
        """Forget what an event at `ms` that arrived only now would have changed."""
        if self._first is not None and self._first.at_ms >= ms:
            self._first = None
        for kept in self._checkpoints.values():
            for checkpoint_ms in [at_ms for at_ms in kept if at_ms >= ms]:
                del kept[checkpoint_ms]

    def _nearest(self, as_of_ms: int) -> _State:
        """The last kept state on the way to a time; hours only lead to times of their own day."""
        for step_ms in reversed(_STEPS_MS):
            kept = self._checkpoints[step_ms]
            first_ms = 0 if step_ms == DAY_MS else as_of_ms // DAY_MS * DAY_MS
            found = max((at_ms for at_ms in kept if first_ms <= at_ms <= as_of_ms), default=None)
            if found is not None:
                kept.move_to_end(found)
                return kept[found]
        if self._first is None:
            base = self._read_base()
            places = np.array([self._rows.row(*key) for key in base.keys], np.intp)
            values = np.zeros((len(self._rows), TITLE_COUNTER_COUNT))
            is_seen = np.zeros(len(values), np.bool_)
            values[places], is_seen[places] = base.values, True
            self._first = _State(base.at_ms, values, is_seen, base.newest_ms)
        if as_of_ms < self._first.at_ms:
            raise HistoryCompacted(as_of_ms, self._first.at_ms)
        return self._first

    def _keep(self, step_ms: int, states: Collection[_State]) -> None:
        kept = self._checkpoints[step_ms]
        for state in states:
            kept[state.at_ms] = state
            kept.move_to_end(state.at_ms)
        while len(kept) > KEPT_CHECKPOINTS:
            kept.popitem(last=False)

    def _advanced(self, state: _State, columns: EventColumns, to_ms: int) -> _State:
        is_counted = counted(columns)
        both = self._rows.of(columns, is_counted)
        values = np.zeros((len(self._rows), TITLE_COUNTER_COUNT))
        known = len(state.values)
        values[:known] = decay(state.values, state.at_ms, to_ms, TITLE_HALF_LIVES_MS)
        is_seen = np.zeros(len(values), np.bool_)
        is_seen[:known] = state.is_seen
        until = np.full(len(values), to_ms, np.int64)
        if len(columns):
            for rows in both:
                values += sums(columns, rows.changed, len(values), until, rows.undone)
                is_seen[rows.changed[rows.changed >= 0]] = True
        is_counted &= columns.title >= 0
        newest_ms = int(columns.occurred_ms[is_counted].max(initial=state.newest_ms))
        return _State(to_ms, values, is_seen, newest_ms)
