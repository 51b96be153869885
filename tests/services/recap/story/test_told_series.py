import contextlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.storage.recap.beat_table import BeatTable, ToldEpisode, ToldSeries
from libs.storage.recap.database import open_file
from services.recap.story.told_series import HeldBeats, make_terms
from tests.made_beats import saga, told

EPISODES = [ToldEpisode(told(title), 7) for title in saga().values() if title.parent_id]


class Counted(BeatTable):
    """A table that remembers of what more than the version was read."""

    def newer(self, tenant: str, series_id: str, version: int) -> ToldSeries | None:
        found = super().newer(tenant, series_id, version)
        if found is not None:
            self.read.append(series_id)
        return found

    read: list[str]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Counted]:
    with contextlib.closing(open_file(tmp_path / "recap.sqlite")) as database:
        table = Counted(database, make_terms)
        table.read = []
        yield table


def test_beats_are_read_once_and_again_when_they_change(table: Counted) -> None:
    held = HeldBeats(table, most_bytes=2**20)
    assert held.of("default", "s").beats == ()
    table.replace("default", "s", EPISODES)
    first = held.of("default", "s")
    assert held.of("default", "s") is first
    assert len(first.beats) == 48
    table.replace("default", "s", [ToldEpisode(told(saga()["saga-1-1"], 4), 7)])
    assert len(held.of("default", "s").beats) == 44
    assert table.read == ["s", "s"]


def size_of(table: Counted, series_id: str) -> int:
    size = HeldBeats(table, most_bytes=0).of("default", series_id).byte_count
    table.read.clear()
    return size


def test_what_was_asked_for_last_is_held(table: Counted) -> None:
    for series_id in ("a", "b", "c"):
        table.replace("default", series_id, EPISODES[:1])
    held = HeldBeats(table, most_bytes=2 * size_of(table, "a"))
    for series_id in ("a", "b", "a", "c", "a", "b"):
        held.of("default", series_id)
    assert table.read == ["a", "b", "c", "b"]


def test_a_long_series_takes_the_place_of_several_short_ones(table: Counted) -> None:
    for series_id in ("a", "b", "c"):
        table.replace("default", series_id, EPISODES[:1])
    table.replace("default", "long", EPISODES[:2])
    held = HeldBeats(table, most_bytes=size_of(table, "a") + size_of(table, "long"))
    for series_id in ("a", "b", "c", "long", "c", "b"):
        held.of("default", series_id)
    assert table.read == ["a", "b", "c", "long", "b"]


def test_a_series_that_changes_is_counted_as_it_is_now(table: Counted) -> None:
    table.replace("default", "a", EPISODES[:2])
    table.replace("default", "b", EPISODES[:1])
    held = HeldBeats(table, most_bytes=size_of(table, "a") + size_of(table, "b"))
    for duration_ms in (7, 8, 9):
        table.replace(
            "default", "a", [ToldEpisode(one.episode, duration_ms) for one in EPISODES[:2]]
        )
        held.of("default", "a")
        held.of("default", "b")
    assert table.read == ["a", "b", "a", "a"], "b was never let go of"


def test_a_series_beyond_the_bound_is_told_all_the_same(table: Counted) -> None:
    table.replace("default", "s", EPISODES)
    held = HeldBeats(table, most_bytes=size_of(table, "s") - 1)
    for _ in range(2):
        assert len(held.of("default", "s").beats) == 48
    assert table.read == ["s", "s"]


def test_what_a_series_takes_is_about_what_is_counted(table: Counted) -> None:
    table.replace("default", "s", EPISODES)
    HeldBeats(table, most_bytes=0).of("default", "s")  # what is made once is made
    tracemalloc.start()
    try:
        held = HeldBeats(table, most_bytes=0).of("default", "s")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held.byte_count == pytest.approx(taken, rel=0.25)


def test_tenants_are_apart(table: Counted) -> None:
    held = HeldBeats(table, most_bytes=2**20)
    table.replace("acme", "s", EPISODES)
    assert held.of("default", "s").beats == ()
    assert len(held.of("acme", "s").beats) == 48


def test_columns_are_those_of_the_beats(table: Counted) -> None:
    table.replace("default", "s", EPISODES)
    series = HeldBeats(table, most_bytes=2**20).of("default", "s")
    for row, beat in enumerate(series.beats):
        episode = next(
            one
            for one in EPISODES
            if one.episode.episode_id == series.episode_ids[series.episodes[row]]
        )
        assert beat in episode.episode.beats
        assert (series.ends_ms[row], series.importances[row]) == (beat.end_ms, beat.importance)
    assert series.durations_ms == {one.episode.episode_id: 7 for one in EPISODES}
