from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.faults import PartUnavailable
from libs.features.profile_state import EMPTY, replay
from libs.features.title_table import LiveTitleCounters
from libs.storage.event_store import SqliteEventStore
from libs.storage.feature_reader import FeatureReader
from tests.made_events import START_MS, assert_same_state, event_lists, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events" / "events.sqlite"


def test_the_file_is_waited_for(path: Path) -> None:
    with closing(FeatureReader(path)) as reader:
        with pytest.raises(PartUnavailable) as caught:
            reader.profile(TENANT, "profile0")
        assert caught.value.metadata["part"] == "features"
        with closing(SqliteEventStore(path)):
            assert reader.profile(TENANT, "profile0") == (None, EMPTY)
            assert reader.title_changes(TENANT, 0).last_change == 0


def test_what_is_acknowledged_is_visible_at_once_and_after_the_writer_has_gone(path: Path) -> None:
    events = [watch("a", START_MS), watch("b", START_MS, title_id="x")]
    with closing(FeatureReader(path)) as reader:
        with closing(SqliteEventStore(path)) as store:
            store.upsert_profiles(TENANT, [Profile("profile0", country="DE")])
            store.record_events(TENANT, events, NOW_MS)
            profile, state = reader.profile(TENANT, "profile0")
            assert profile == Profile("profile0", country="DE")
            assert_same_state(state, replay(events))
        assert_same_state(reader.profile(TENANT, "profile0")[1], replay(events))


@settings(max_examples=20, deadline=None)
@given(event_lists(most=15))
def test_changes_add_up_to_what_the_writer_has(
    tmp_path_factory: pytest.TempPathFactory, some: list[Event]
) -> None:
    path = tmp_path_factory.mktemp("changes") / "events.sqlite"
    live, last_change = LiveTitleCounters(), 0
    with closing(SqliteEventStore(path)) as store, closing(FeatureReader(path)) as reader:
        for start in range(0, len(some), 4):
            store.record_events(TENANT, some[start : start + 4], NOW_MS)
            changes = reader.title_changes(TENANT, last_change)
            live.apply(changes)
            last_change = changes.last_change
        assert reader.title_changes(TENANT, last_change).title_ids == ()
        found = live.table(NOW_MS, ("DE",))
        wanted = store.title_table(TENANT, None, "DE", now_ms=NOW_MS)
    assert found.title_ids == wanted.title_ids
    np.testing.assert_array_equal(found.counters, wanted.counters)
