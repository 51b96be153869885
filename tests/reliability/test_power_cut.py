"""The power is cut at any moment: what was acknowledged is there, and the features are its own."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw
import pytest

from libs.domain.decision import Decision
from libs.faults import PartUnavailable
from libs.storage.event_store import SqliteEventStore
from tests.killed_ingest import TENANT, assert_features_are_of_the_log, made_events
from tests.reliability.power_cut import Disk, on_disk

SEED = 11
BATCHES = 150
CUTS = 40
NOW_MS = 1_790_000_000_000
# A checkpoint every few commits: the writes that a cut can tear most.
OFTEN = "PRAGMA wal_autocheckpoint = 40"


@dataclass(frozen=True)
class Cut:
    """What one power cut left, and what had been acknowledged before it."""

    folder: Path
    acknowledged: frozenset[str]


def cuts_during_ingest(
    tmp_path: Path, pragmas: Sequence[str], chances: Sequence[float]
) -> list[Cut]:
    """Record BATCHES on a disk whose power is cut before CUTS of its operations.

    What was not synced survives by one of `chances`.
    """
    random = Random(SEED)
    operations = _operation_count(tmp_path / "rehearsal", pragmas)
    moments = set(random.sample(range(operations), CUTS))
    cuts: list[Cut] = []
    acknowledged: set[str] = set()
    place = 0

    def before() -> None:
        nonlocal place
        if place in moments:
            folder = tmp_path / f"cut{len(cuts)}"
            disk.cut(folder, random, random.choice(chances))
            cuts.append(Cut(folder, frozenset(acknowledged)))
        place += 1

    disk = Disk("cut", before)
    _ingest(tmp_path / "whole", disk, acknowledged, pragmas)
    assert len(cuts) == CUTS
    return cuts


def _operation_count(folder: Path, pragmas: Sequence[str]) -> int:
    count = 0

    def before() -> None:
        nonlocal count
        count += 1

    disk = Disk("rehearsal", before)
    _ingest(folder, disk, set(), pragmas)
    return count


def _ingest(folder: Path, disk: Disk, acknowledged: set[str], pragmas: Sequence[str]) -> None:
    random, events = Random(SEED), made_events(SEED)
    connect = on_disk(disk, *pragmas)
    with closing(SqliteEventStore(folder / "events.sqlite", connect=connect)) as store:
        for number in range(BATCHES):
            batch = [next(events) for _ in range(random.choice((1, 1, 1, 20)))]
            store.record_events(TENANT, batch, NOW_MS)
            acknowledged.update(event.event_id for event in batch)
            page = Decision(f"page{number % 7}-{number}", "p0", NOW_MS, "x", ("t1",), (1.0,))
            store.record_decisions(TENANT, [page], NOW_MS)


def lost_events(cut: Cut) -> frozenset[str]:
    """The acknowledged events that are gone; what is there is whole in any case."""
    with closing(SqliteEventStore(cut.folder / "events.sqlite")) as store:
        return cut.acknowledged - assert_features_are_of_the_log(store)


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for cut in cuts_during_ingest(tmp_path, [OFTEN], [0.0, 0.5, 1.0]):
        assert not lost_events(cut), cut.folder


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_without_an_fsync_of_every_commit_the_same_test_fails(
    tmp_path: Path, synchronous: str
) -> None:
    pragmas = [OFTEN, f"PRAGMA synchronous = {synchronous}"]
    cuts = cuts_during_ingest(tmp_path, pragmas, [0.0])
    assert sum(bool(lost_events(cut)) for cut in cuts) > CUTS / 4


class Full:
    """A disk that takes no more for a while."""

    def __init__(self) -> None:
        self.left = 10**9

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise apsw.FullError("no space left")


@pytest.mark.parametrize("left", [0, 1, 2, 3, 5, 8, 13, 21, 40])
def test_a_disk_that_fills_up_at_any_write_loses_nothing_and_recovers(
    tmp_path: Path, left: int
) -> None:
    full, random, events = Full(), Random(left), made_events(SEED)
    disk = Disk(f"full{left}", full)
    path = tmp_path / "events.sqlite"
    acknowledged, refused = set[str](), 0
    with closing(SqliteEventStore(path, connect=on_disk(disk, OFTEN))) as store:
        for _ in range(60):
            batch = [next(events) for _ in range(random.choice((1, 30)))]
            full.left = left
            try:
                store.record_events(TENANT, batch, NOW_MS)
            except PartUnavailable:
                refused += 1
                full.left = 10**9
                again = store.record_events(TENANT, batch, NOW_MS)
                # Refused as a whole, or durable before the disk filled up in a checkpoint.
                assert again.recorded_count in (0, len(batch))
            acknowledged.update(event.event_id for event in batch)
    assert refused
    full.left = 10**9
    disk.cut(tmp_path / "cut", random, 0.0)
    with closing(SqliteEventStore(tmp_path / "cut" / "events.sqlite")) as store:
        assert assert_features_are_of_the_log(store) == acknowledged
