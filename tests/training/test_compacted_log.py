"""Training on a log of which some is compacted sees what it would have seen of the whole."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from libs.domain.event import DAY_MS
from libs.features.catalogue_columns import from_titles, recommendable_ids
from libs.features.title_replay import TitleReplay
from libs.storage.compaction import FIRST, Place, compact_before
from libs.storage.event_store import SqliteEventStore
from libs.storage.log_reader import LogReader
from libs.storage.recorded_log import RecordedLog
from services.events.ports import EventStore
from tests.made_databases import PostgresDatabases
from tests.made_world import UNTIL_MS, small_world
from training.cuts import Cut
from training.snapshots import take_snapshots

TENANT = "default"


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[EventStore, RecordedLog]]:
    """Who writes a log, and who reads it."""
    if request.param == "sqlite":
        path = tmp_path / "events.sqlite"
        with closing(SqliteEventStore(path)) as store, closing(LogReader(path)) as reader:
            yield store, reader
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    url = databases.fresh()
    with closing(databases.store(url)) as server, closing(databases.reader(url)) as reading:
        yield server, reading
    databases.give_back(url)


def test_the_state_at_a_cut_is_that_of_all_events_before_it(
    log: tuple[EventStore, RecordedLog],
) -> None:
    store, reader = log
    made, titles = small_world()
    columns = from_titles(titles, recommendable_ids(titles))
    cut = Cut(UNTIL_MS - 7 * DAY_MS, 7 * DAY_MS)
    asked = {event.profile_id for event in made.events if event.occurred_ms >= cut.time_ms}
    wanted = [
        {profile_id: np.arange(len(columns.title_ids), dtype=np.int32) for profile_id in asked}
    ]
    store.record_events(TENANT, list(made.events), UNTIL_MS)
    (whole,), whole_last = take_snapshots(
        made.profile_events(TENANT, UNTIL_MS),
        [cut], wanted, UNTIL_MS, columns, {}, profile_count=1,
    )  # fmt: skip
    until_ms, count = compact_before(UNTIL_MS, 14), 0
    after: Place | None = FIRST
    while after is not None:
        done = store.compact(until_ms, after)
        count, after = count + done.event_count, done.after
    assert count > len(made.events) / 4
    (found,), found_last = take_snapshots(
        reader.profile_events(TENANT, UNTIL_MS),
        [cut], wanted, UNTIL_MS, columns, {}, profile_count=1,
        base_of=partial(reader.base_of, TENANT),
    )  # fmt: skip
    base = reader.title_base(TENANT)
    replay = TitleReplay(lambda after, to: reader.columns_between(TENANT, after, to), lambda: base)
    table = replay.table(cut.time_ms - 1)
    for one, other in ((found.histories, whole.histories), (found_last, whole_last)):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-6)
    assert [one.profile_id for one in found.asked] == [one.profile_id for one in whole.asked]
    for seen, full in zip(found.asked, whole.asked, strict=True):
        np.testing.assert_array_equal(seen.viewer.view.rows, full.viewer.view.rows)
        np.testing.assert_array_equal(seen.viewer.view.watched_ms, full.viewer.view.watched_ms)
        np.testing.assert_allclose(
            seen.viewer.view.engagement, full.viewer.view.engagement, rtol=1e-9
        )
        assert set(seen.relevant) <= set(full.relevant)
    never = TitleReplay(lambda after, to: made.columns(TENANT, to + 1, after + 1))
    np.testing.assert_allclose(table.counters, never.table(cut.time_ms - 1).counters, rtol=1e-6)
