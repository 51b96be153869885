import hashlib
import json
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.profile import Profile
from libs.faults import PartUnavailable, StartFault
from libs.features.watched_days import WatchedDay
from libs.storage.compaction import FIRST
from libs.storage.event_row import Row
from libs.storage.event_store import SqliteEventStore
from libs.storage.log_reader import LogReader
from libs.storage.parquet_export import Export, export_log, partition_of
from libs.storage.recorded_log import RecordedLog
from tests.libs.storage.conftest import Logs
from tests.made_events import START_MS, event_lists, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


def exported(log: RecordedLog, out: Path, partition_count: int = 3) -> Export:
    return export_log(
        log,
        TENANT,
        out,
        partition_count=partition_count,
        now_ms=NOW_MS,
        on_progress=lambda done, total: None,
    )


def read(out: Path) -> pl.DataFrame:
    return pl.concat(
        [pl.read_parquet(file) for file in sorted(out.glob("partition=*/events.parquet"))]
    )


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(event_lists(most=20))
def test_every_event_is_in_one_file_in_the_one_order(
    tmp_path_factory: pytest.TempPathFactory, logs: Logs, some: list[Event]
) -> None:
    folder = tmp_path_factory.mktemp("export")
    with logs() as (store, log):
        store.record_events(TENANT, some, NOW_MS)
        store.record_events("other", [watch("foreign", START_MS)], NOW_MS)
        answer = exported(log, folder / "out")
    frame = read(folder / "out")
    assert answer.event_count == len(frame) == len(some)
    assert sorted(frame["event_id"]) == sorted(event.event_id for event in some)
    by_id = {event.event_id: event for event in some}
    for row in frame.iter_rows(named=True):
        event = by_id[row["event_id"]]
        assert (row["profile_id"], row["kind"]) == (event.profile_id, event.kind.name)
        assert (row["occurred_ms"], row["sequence"]) == (event.occurred_ms, event.sequence)
        assert (row["device"], row["country"]) == (event.context.device.name, event.context.country)
    for place, file in enumerate(sorted((folder / "out").glob("partition=*/events.parquet"))):
        part = pl.read_parquet(file)
        for profile_id in part["profile_id"].unique():
            assert partition_of(TENANT, profile_id, 3) == place
            own = part.filter(pl.col("profile_id") == profile_id)
            orders = list(own.select("occurred_ms", "sequence", "event_id").iter_rows())
            assert orders == sorted(orders)


def test_the_manifest_says_what_is_in_and_seals_it(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store, closing(LogReader(path)) as log:
        store.record_events(TENANT, [watch(f"e{n}", START_MS + n) for n in range(5)], NOW_MS)
        store.upsert_profiles(TENANT, [Profile("profile0", "a", languages=("de", "pt"))])
        exported(log, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["watermark"], manifest["event_count"], manifest["profile_count"]) == (5, 5, 1)
    for one in manifest["files"]:
        data = (tmp_path / "out" / one["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
    profiles = pl.read_parquet(tmp_path / "out" / "profiles.parquet")
    assert profiles["languages"].to_list() == [["de", "pt"]]


class Meanwhile(LogReader):
    """A log to which something happens once its first profile was read."""

    def __init__(self, path: Path, store: SqliteEventStore) -> None:
        super().__init__(path)
        self.store: SqliteEventStore | None = store

    def held_of(
        self, tenant: str, profile_id: str, *, watermark: int
    ) -> tuple[list[Row], list[WatchedDay]]:
        held = super().held_of(tenant, profile_id, watermark=watermark)
        if self.store is not None:
            for name in ("profile0", "new"):
                late = watch(f"late-{name}", START_MS, profile_id=name)
                self.store.record_events(TENANT, [late], NOW_MS)
            self.store = None
        return held


def test_what_arrives_meanwhile_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store, closing(Meanwhile(path, store)) as log:
        store.record_events(TENANT, [watch(f"e{n}", START_MS + n) for n in range(5)], NOW_MS)
        answer = exported(log, tmp_path / "out", 1)
    assert answer.event_count == answer.watermark == 5


def test_days_of_compacted_events_are_beside_the_events_that_are_left(
    logs: Logs, tmp_path: Path
) -> None:
    some = [
        watch("a", START_MS, kind=EventKind.PLAY),
        watch("b", START_MS + 5, from_ms=5_000, to_ms=9_000),
        watch("c", START_MS + 20 * DAY_MS),
        watch("d", START_MS, profile_id="profile1", title_id="title1"),
    ]
    with logs() as (store, log):
        store.record_events(TENANT, some, NOW_MS)
        store.compact(START_MS + DAY_MS, FIRST)
        answer = exported(log, tmp_path / "out")
        assert answer.watermark == log.watermark()
        everything = {one: store.watched_days(TENANT, one) for one in ("profile0", "profile1")}
    assert (answer.event_count, answer.day_count) == (1, 2)
    assert set(read(tmp_path / "out")["event_id"]) == {"c"}
    files = sorted((tmp_path / "out").glob("partition=*/days.parquet"))
    assert len(files) == 3
    assert {f"{one.parent.name}/{one.name}" for one in files} <= {one.file for one in answer.files}
    days = pl.concat([pl.read_parquet(file) for file in files]).sort("profile_id")
    assert days["profile_id"].to_list() == ["profile0", "profile1"]
    wanted = [everything["profile0"][0], everything["profile1"][0]]
    for row, day in zip(days.iter_rows(named=True), wanted, strict=True):
        assert (row["day"], row["title_id"]) == (day.date, day.title_id)
        assert (row["watched_ms"], tuple(row["hours_ms"])) == (day.watched_ms, day.hours_ms)
        assert (row["play_count"], row["first_ms"]) == (day.play_count, day.first_ms)


class Forgetting(LogReader):
    """A log of which a profile is erased whenever profiles were listed, one after the other."""

    def __init__(self, path: Path, store: SqliteEventStore) -> None:
        super().__init__(path)
        self.store = store
        self.names = ["profile0", "profile1"]

    def profile_ids(self, tenant: str) -> list[str]:
        found = super().profile_ids(tenant)
        if self.names:
            self.store.erase_profile(TENANT, self.names.pop(0), (), NOW_MS)
        return found


def test_whoever_is_erased_meanwhile_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store, closing(Forgetting(path, store)) as log:
        for name in ("profile0", "profile1", "profile2"):
            store.record_events(TENANT, [watch(name, START_MS, profile_id=name)], NOW_MS)
            store.upsert_profiles(TENANT, [Profile(name)])
        answer = exported(log, tmp_path / "out")
    assert set(read(tmp_path / "out")["profile_id"]) == {"profile2"}
    assert (answer.event_count, answer.profile_count) == (1, 1)


class Breaking(LogReader):
    """A log that cannot be read to its end."""

    def profiles(self, tenant: str) -> list[Profile]:
        raise PartUnavailable("event log", "gone")


def test_nothing_is_left_of_an_export_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "events" / "events.sqlite"
    with closing(SqliteEventStore(path)) as store, closing(Breaking(path)) as log:
        store.record_events(TENANT, [watch("e", START_MS)], NOW_MS)
        with pytest.raises(PartUnavailable):
            exported(log, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["events"]


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    out = tmp_path / "out"
    out.mkdir()
    with closing(SqliteEventStore(path)) as store, closing(LogReader(path)) as log:
        store.record_events(TENANT, [watch("e", START_MS)], NOW_MS)
        exported(log, out)
        before = sorted(out.rglob("*"))
        with pytest.raises(StartFault, match="not an empty folder"):
            exported(log, out)
    assert sorted(out.rglob("*")) == before
