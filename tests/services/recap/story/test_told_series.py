import contextlib
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
    held = HeldBeats(table, most_series=2)
    assert held.of("default", "s").beats == ()
    table.replace("default", "s", EPISODES)
    first = held.of("default", "s")
    assert held.of("default", "s") is first
    assert len(first.beats) == 48
    table.replace("default", "s", [ToldEpisode(told(saga()["saga-1-1"], 4), 7)])
    assert len(held.of("default", "s").beats) == 44
    assert table.read == ["s", "s"]


def test_what_was_asked_for_last_is_held(table: Counted) -> None:
    held = HeldBeats(table, most_series=2)
    for series_id in ("a", "b", "c"):
        table.replace("default", series_id, EPISODES[:1])
    for series_id in ("a", "b", "a", "c", "a", "b"):
        held.of("default", series_id)
    assert table.read == ["a", "b", "c", "b"]


def test_tenants_are_apart(table: Counted) -> None:
    held = HeldBeats(table, most_series=2)
    table.replace("acme", "s", EPISODES)
    assert held.of("default", "s").beats == ()
    assert len(held.of("acme", "s").beats) == 48


def test_columns_are_those_of_the_beats(table: Counted) -> None:
    table.replace("default", "s", EPISODES)
    series = HeldBeats(table, most_series=2).of("default", "s")
    for row, beat in enumerate(series.beats):
        episode = next(
            one
            for one in EPISODES
            if one.episode.episode_id == series.episode_ids[series.episodes[row]]
        )
        assert beat in episode.episode.beats
        assert (series.ends_ms[row], series.importances[row]) == (beat.end_ms, beat.importance)
    assert series.durations_ms == {one.episode.episode_id: 7 for one in EPISODES}
