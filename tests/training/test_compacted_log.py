"""Training on a log of which some is compacted sees what it would have seen of the whole."""

from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from libs.domain.event import DAY_MS
from libs.features.catalogue_columns import from_titles, recommendable_ids
from libs.features.title_replay import TitleReplay
from libs.storage.compaction import compact_before, compact_file
from libs.storage.event_store import SqliteEventStore
from libs.storage.log_reader import LogReader
from tests.made_world import UNTIL_MS, small_world
from training.cuts import Cut
from training.snapshots import take_snapshots

TENANT = "default"


def test_the_state_at_a_cut_is_that_of_all_events_before_it(tmp_path: Path) -> None:
    made, titles = small_world()
    columns = from_titles(titles, recommendable_ids(titles))
    cut = Cut(UNTIL_MS - 7 * DAY_MS, 7 * DAY_MS)
    asked = {event.profile_id for event in made.events if event.occurred_ms >= cut.time_ms}
    wanted = [
        {profile_id: np.arange(len(columns.title_ids), dtype=np.int32) for profile_id in asked}
    ]
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.record_events(TENANT, list(made.events), UNTIL_MS)
    (whole,), whole_last = take_snapshots(
        made.profile_events(TENANT, UNTIL_MS),
        [cut], wanted, UNTIL_MS, columns, {}, profile_count=1,
    )  # fmt: skip
    *_, count = compact_file(path, compact_before(UNTIL_MS, 14))
    assert count > len(made.events) / 4
    with closing(LogReader(path)) as log:
        (found,), found_last = take_snapshots(
            log.profile_events(TENANT, UNTIL_MS),
            [cut], wanted, UNTIL_MS, columns, {}, profile_count=1,
            base_of=partial(log.base_of, TENANT),
        )  # fmt: skip
        base = log.title_base(TENANT)
        replay = TitleReplay(lambda after, to: log.columns_between(TENANT, after, to), lambda: base)
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
