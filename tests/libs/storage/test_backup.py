"""A copy taken while events writes is whole, and is served as it is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from libs.domain.event import DAY_MS
from libs.domain.profile import Profile
from libs.storage.event_store import PSEUDONYM_KEY, SqliteEventStore
from tests.made_events import START_MS, assert_same_state, watch

TENANT = "default"
NOW_MS = START_MS + DAY_MS


def back_up(path: Path, to: Path) -> None:
    """As the README says."""
    to.parent.mkdir()
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)
    shutil.copy(path.with_name(PSEUDONYM_KEY), to.with_name(PSEUDONYM_KEY))


def test_a_copy_of_a_file_that_is_written_is_restored_whole(tmp_path: Path) -> None:
    path, copy = tmp_path / "events" / "events.sqlite", tmp_path / "restored" / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.upsert_profiles(TENANT, [Profile("profile0", country="PT")])
        store.record_events(TENANT, [watch(f"e{n}", START_MS + n) for n in range(100)], NOW_MS)
        store.record_events(TENANT, [watch("gone", START_MS, profile_id="erased")], NOW_MS)
        store.erase_profile(TENANT, "erased", (), NOW_MS)
        back_up(path, copy)
        store.record_events(TENANT, [watch("after", START_MS + 500)], NOW_MS)
        with closing(SqliteEventStore(copy)) as restored:
            assert len(restored.history(TENANT, "profile0", most=1_000)) == 100
            assert restored.profiles(TENANT, ["profile0"]) == [Profile("profile0", country="PT")]
            # The tombstones and their key came with it.
            late = [watch("late", START_MS, profile_id="erased"), watch("after", START_MS + 500)]
            assert len(restored.record_events(TENANT, late, NOW_MS).rejections) == 1
            assert_same_state(
                restored.profile_state(TENANT, "profile0", None),
                store.profile_state(TENANT, "profile0", None),
            )
