"""Files are written anew where they have to be, and not more often than that."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

from libs.domain.event import DAY_MS
from libs.storage.event_store import SqliteEventStore
from libs.storage.scrub import Scrubber
from tests.made_events import START_MS, watch
from tests.made_log import scattered

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


def rewrites(path: Path) -> int:
    """Rises with each VACUUM."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def filled(path: Path, names: list[str]) -> SqliteEventStore:
    store, some = SqliteEventStore(path), scattered(names, Random(3))
    for start in range(0, len(some), 500):
        store.record_events(TENANT, some[start : start + 500], NOW_MS)
    return store


def test_ids_that_are_part_of_others_wait_for_each_other(tmp_path: Path) -> None:
    path, now_s = tmp_path / "events.sqlite", [0.0]
    with closing(SqliteEventStore(path)) as store:
        some = [watch(f"e{n}", START_MS, profile_id=f"p{n}") for n in range(40)]
        store.record_events(TENANT, some, NOW_MS)
        scrubber = Scrubber(path, every_s=600, clock=lambda: now_s[0])
        before = rewrites(path)
        store.erase_profile(TENANT, "p1", (), NOW_MS)
        assert scrubber.scrub(["p1"])  # in p10 and others, and nothing was rewritten before
        assert rewrites(path) == before + 1
        for now_s[0] in (1.0, 300.0, 599.0):
            store.erase_profile(TENANT, "p2", (), NOW_MS)
            store.erase_profile(TENANT, "p3", (), NOW_MS)
            assert not scrubber.scrub(["p2", "p3"])
        assert rewrites(path) == before + 1
        # What is found nowhere has nothing to wait for.
        assert scrubber.scrub(["somebody-whose-id-is-nowhere"])
        now_s[0] = 601.0
        assert scrubber.scrub(["p2", "p3"])
        assert rewrites(path) == before + 2


def test_what_a_dead_process_has_not_scrubbed_the_next_one_does(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    names = [f"someone-{place:05d}-else" for place in range(700)]
    gone = names[::4]
    with closing(filled(path, names)) as store, store.transaction():
        for name in gone:
            store.erase_profile(TENANT, name, (), NOW_MS)
    assert any(name.encode() in path.read_bytes() for name in gone)
    # Nobody knows whom to look for.
    with closing(SqliteEventStore(path)) as store:
        assert store.scrub()
    left = path.read_bytes()
    assert not [name for name in gone if name.encode() in left]
    before = rewrites(path)
    with closing(SqliteEventStore(path)) as store:
        assert store.scrub()
    assert rewrites(path) == before


def test_what_is_deleted_while_a_file_is_scrubbed_is_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        scrubber = Scrubber(path)
        store.erase_profile(TENANT, "first-of-them", (), NOW_MS)
        assert scrubber.scrub(["first-of-them"])
        store.erase_profile(TENANT, "second-of-them", (), NOW_MS)
    before = rewrites(path)
    assert Scrubber(path).scrub(())
    assert rewrites(path) == before + 1
