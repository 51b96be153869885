import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.event import DAY_MS, Event
from libs.features.event_columns import EventColumns, from_events
from libs.features.title_replay import TitleReplay, _State
from libs.features.title_table import LiveTitleCounters, TitleTable
from tests.made_events import START_MS, event_lists, watch

HOUR_MS = 3_600_000

as_of_times = st.integers(START_MS, START_MS + 20 * DAY_MS)


class Log:
    """The events of a test, which counts what was read of it."""

    def __init__(self, some: list[Event]) -> None:
        self.events = some
        self.read_count = 0

    def __call__(self, after_ms: int, to_ms: int) -> EventColumns:
        found = [event for event in self.events if after_ms < event.occurred_ms <= to_ms]
        self.read_count += len(found)
        return from_events(found, [event for event in self.events if event.occurred_ms <= after_ms])


class CountedReplay(TitleReplay):
    """A replay that counts its steps from state to state."""

    step_count = 0

    def _advanced(self, state: _State, columns: EventColumns, to_ms: int) -> _State:
        self.step_count += 1
        return super()._advanced(state, columns, to_ms)


def assert_same_bits(one: TitleTable, other: TitleTable) -> None:
    assert (one.as_of_ms, one.title_ids) == (other.as_of_ms, other.title_ids)
    np.testing.assert_array_equal(one.counters, other.counters)
    assert one.country_counters.keys() == other.country_counters.keys()
    for country, counters in one.country_counters.items():
        np.testing.assert_array_equal(counters, other.country_counters[country])


@given(event_lists(most=20), st.lists(as_of_times, min_size=1, max_size=4))
@settings(deadline=None)
def test_an_answer_does_not_depend_on_what_was_asked_before(
    some: list[Event], times: list[int]
) -> None:
    asked_often = TitleReplay(Log(some))
    for as_of_ms in times:
        assert_same_bits(asked_often.table(as_of_ms), TitleReplay(Log(some)).table(as_of_ms))


@given(event_lists(most=20), as_of_times)
@settings(deadline=None)
def test_a_replay_agrees_with_the_live_counters_of_the_events_until_then(
    some: list[Event], as_of_ms: int
) -> None:
    live = LiveTitleCounters()
    live.add(from_events(event for event in some if event.occurred_ms <= as_of_ms))
    found, wanted = TitleReplay(Log(some)).table(as_of_ms), live.table(as_of_ms)
    assert found.title_ids == wanted.title_ids
    np.testing.assert_allclose(found.counters, wanted.counters, rtol=1e-6)


def test_a_late_event_is_seen_once_it_is_told_of() -> None:
    log = Log([watch("a", START_MS)])
    asked_often = TitleReplay(log)
    as_of_ms = START_MS + 5 * DAY_MS
    asked_often.table(as_of_ms)
    log.events.append(watch("late", START_MS + DAY_MS, title_id="late"))
    asked_often.invalidate_after(START_MS + DAY_MS)
    assert_same_bits(asked_often.table(as_of_ms), TitleReplay(log).table(as_of_ms))
    assert asked_often.table(as_of_ms).title_ids == ("late", "title0")


@given(event_lists(most=8), st.integers(0, DAY_MS), st.lists(as_of_times, min_size=1, max_size=4))
@settings(deadline=None)
def test_an_event_of_a_clock_of_1970_costs_one_step(
    some: list[Event], first_ms: int, times: list[int]
) -> None:
    log = Log(some)
    asked_often = CountedReplay(log)
    asked_often.table(times[0])
    log.events.append(watch("wrong clock", first_ms))
    asked_often.invalidate_after(first_ms)
    for as_of_ms in times:
        asked_often.step_count = 0
        found = asked_often.table(as_of_ms)
        assert asked_often.step_count <= len(log.events) + 1
        assert_same_bits(found, TitleReplay(log).table(as_of_ms))


def test_a_near_time_is_answered_from_a_checkpoint() -> None:
    log = Log([watch(f"event{day}", START_MS + day * DAY_MS) for day in range(30)])
    asked_often = TitleReplay(log)
    asked_often.table(START_MS + 20 * DAY_MS)
    log.read_count = 0
    asked_often.table(START_MS + 20 * DAY_MS + 1_000)
    asked_often.table(START_MS + 19 * DAY_MS)
    assert log.read_count <= 2


def test_a_near_time_of_a_busy_day_reads_only_the_hour() -> None:
    log = Log([watch(f"event{place}", START_MS + place * 60_000) for place in range(24 * 60)])
    asked_often = TitleReplay(log)
    asked_often.table(START_MS + 12 * HOUR_MS)
    log.read_count = 0
    asked_often.table(START_MS + 12 * HOUR_MS + 90_000)
    asked_often.table(START_MS + 13 * HOUR_MS - 1)
    assert log.read_count <= 2 * 60


def test_the_hours_of_one_day_do_not_drive_out_its_beginning() -> None:
    log = Log([watch(f"event{hour}", START_MS + hour * HOUR_MS) for hour in range(10 * 24)])
    asked_often = TitleReplay(log)
    for hour in range(5 * 24, 6 * 24):
        asked_often.table(START_MS + hour * HOUR_MS + 1)
    log.read_count = 0
    asked_often.table(START_MS + 5 * DAY_MS + HOUR_MS)
    assert log.read_count <= 24


def test_years_without_events_are_one_step() -> None:
    log = Log([watch("a", START_MS), watch("b", START_MS + 40 * 365 * DAY_MS)])
    table = TitleReplay(log).table(START_MS + 80 * 365 * DAY_MS)
    assert table.counters[0, 3] == 1.0


def test_events_at_the_very_beginning_count() -> None:
    table = TitleReplay(Log([watch("a", 0), watch("b", DAY_MS)])).table(DAY_MS)
    assert table.counters[0, 3] == 1.0
    assert TitleReplay(Log([])).table(START_MS).title_ids == ()
