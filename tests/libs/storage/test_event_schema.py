"""A file of an older release is upgraded where it lies, and its rows are read as they are."""

from contextlib import closing
from pathlib import Path

import pytest

from libs.domain.decision import Decision
from libs.domain.event import EVENT_SCHEMA_VERSION, Attribution, Recording
from libs.faults import StartFault
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.storage import compacted
from libs.storage.event_schema import EVENT_SCHEMA
from libs.storage.event_store import SqliteEventStore
from libs.storage.rebuild import rebuild_file
from libs.storage.sqlite import Schema, open_writer
from tests.made_events import START_MS, impression, watch

TENANT = "default"

# The columns of events and decisions before index version, arm and recording.
OLD_COLUMNS = (
    "log_seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL,"
    " event_id, profile_id, session_id, kind, occurred_ms, sequence, title_id,"
    " time_zone, device, country, language, surface, kids, geo_cell,"
    " page_id, row_index, position, policy, propensity, model_version,"
    " from_ms, to_ms, duration_ms, rating_value, rating_scale, thumb, is_listed, detail,"
    " engagement, opinion, daypart"
)
OLD = Schema(
    2 * 1000 + FEATURE_SCHEMA_VERSION,
    tuple(
        f"CREATE TABLE events ({OLD_COLUMNS})"
        if statement.startswith("CREATE TABLE events ")
        else statement.replace(" arm TEXT NOT NULL DEFAULT '',", "")
        for statement in EVENT_SCHEMA.statements
        if "erasures" not in statement
        and "decisions_by_profile" not in statement
        and statement not in compacted.STATEMENTS
    ),
)
CONTEXT = "'', 0, 'DE', '', 0, 0, ''"
WATCHED = f"""INSERT INTO events VALUES (1, 'default', 'a', 'profile0', '', 4, {START_MS}, 0,
    'title0', {CONTEXT}, '', NULL, NULL, NULL, NULL, NULL, 0, 5000, 10000, NULL, NULL, NULL, NULL,
    NULL, 0.5, 0, 2)"""  # noqa: S608  constants
SHOWN = f"""INSERT INTO events VALUES (2, 'default', 'b', 'profile0', '', 1, {START_MS + 1}, 0,
    'title0', {CONTEXT}, 'page0', 0, 0, 'explore', 0.25, 'v1', NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, 0.0, 0, 2)"""  # noqa: S608  constants


def test_events_of_the_first_schema_are_read_after_an_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(open_writer(path, OLD)) as writer:
        for statement in (WATCHED, SHOWN):
            writer.connection.execute(statement)
    for place in range(2):  # the second time there is nothing to upgrade
        with closing(SqliteEventStore(path)) as store:
            new = impression(f"new{place}", START_MS + 2 + place, page_id="page1")
            assert store.record_events(TENANT, [new], START_MS).recorded_count == 1
            again = watch("a", START_MS)
            assert store.record_events(TENANT, [again], START_MS).duplicate_count == 1
            found = {event.event_id: event for event in store.history(TENANT, "profile0", most=9)}
    assert found["a"] == watch("a", START_MS, country="DE")
    assert found["a"].recording == found["b"].recording == Recording(0, 1)
    assert found["b"].attribution == Attribution("explore", 0.25, "v1", "", "")
    assert found["new0"].recording == Recording(START_MS, EVENT_SCHEMA_VERSION)


def test_a_decision_of_after_an_upgrade_finds_the_impressions_of_before(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(open_writer(path, OLD)) as writer:
        writer.connection.execute(SHOWN.replace("'explore', 0.25, 'v1'", "NULL, NULL, NULL"))
    with closing(SqliteEventStore(path)) as store:
        page = Decision("page0", "profile0", START_MS, "p", ("title0",), (1.0,), arm="b")
        assert store.record_decisions(TENANT, [page], START_MS).recorded_count == 1
        [event] = store.history(TENANT, "profile0", most=9)
    assert event.attribution == Attribution("p", 1.0, "", "", "b")


def test_a_file_of_older_features_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(open_writer(path, OLD)) as writer:
        writer.connection.execute(WATCHED)
        writer.connection.execute(f"PRAGMA user_version = {2_000 + FEATURE_SCHEMA_VERSION - 1}")
    with pytest.raises(StartFault, match=r"`reprise events rebuild` makes its features anew$"):
        SqliteEventStore(path)
    for _ in rebuild_file(path):
        pass
    with closing(SqliteEventStore(path)) as store:
        assert store.profile_state(TENANT, "profile0", None).title_ids == ("title0",)


@pytest.mark.parametrize("version", [1_001, EVENT_SCHEMA.version + 1, EVENT_SCHEMA.version + 1_000])
def test_nothing_is_promised_of_a_file_of_another_log(tmp_path: Path, version: int) -> None:
    path = tmp_path / "events.sqlite"
    with closing(open_writer(path, OLD)) as writer:
        writer.connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StartFault, match=f"needs {EVENT_SCHEMA.version}$"):
        SqliteEventStore(path)
