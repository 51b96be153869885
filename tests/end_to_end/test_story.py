"""Beats from a file, a few evenings, and the story so far, through the real command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.calling import open_channel
from cli.suite import running
from libs.domain.beat import EpisodeBeats
from libs.serving.settings import SuiteSettings
from libs.serving.title_codec import title_message
from libs.storage.recap.beat_json import beat_value
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import event_message
from tests.end_to_end.conftest import Home, home_at
from tests.made_beats import MINUTE_MS, SERIES_ID, played, saga, told

pytestmark = pytest.mark.end_to_end

EPISODES = [title for title in saga().values() if title.parent_id]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Untrained services with the saga in their catalogue."""
    home = home_at(tmp_path / "home")
    with running(home.settings, is_trained=False):
        with open_channel(home.settings, "candidates") as channel:
            candidates_pb2_grpc.CandidatesServiceStub(channel).UpsertTitles(
                candidates_pb2.UpsertTitlesRequest(titles=map(title_message, saga().values())),
                timeout=10,
            )
        yield home


def lines_of(episode: EpisodeBeats) -> list[str]:
    """A line a beat."""
    key = {"series_id": SERIES_ID, "episode_id": episode.episode_id}
    return [json.dumps(key | beat_value(beat)) for beat in episode.beats]


def whole_line(episode: EpisodeBeats) -> str:
    beats = [beat_value(beat) for beat in episode.beats]
    key = {"series_id": SERIES_ID, "episode_id": episode.episode_id}
    return json.dumps({**key, "beats": beats})


def watch(settings: SuiteSettings, *events: Any) -> None:
    with open_channel(settings, "events") as channel:
        answer = events_pb2_grpc.EventsServiceStub(channel).RecordEvents(
            events_pb2.RecordEventsRequest(events=map(event_message, events)), timeout=10
        )
    assert answer.recorded_count == len(events)


def test_a_viewer_who_comes_back_is_told_the_story_so_far(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "beats.jsonl"
    first, *others = map(told, EPISODES)
    lines = [*reversed(lines_of(first)), *map(whole_line, others)]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    imported = home.json("import", "beats", str(file))
    assert (imported["episodes"], imported["beats"], imported["changed_episodes"]) == (6, 48, 6)
    again = home.json("import", "beats", str(file))
    assert (again["beats"], again["changed_episodes"]) == (48, 0)

    ask = ("story", "--profile", "p", "--series", SERIES_ID)
    assert home.json(*ask)["problem"] == "NOT_STARTED"
    watch(home.settings, played("a", "saga-1-1"), played("b", "saga-1-2", 0, 12 * MINUTE_MS))
    story = home.json(*ask, "--length", "3min")
    assert {beat["episode_id"] for beat in story["beats"]} == {"saga-1-1", "saga-1-2"}
    assert story["next_episode"]["episode_id"] == "saga-1-2"
    assert story["position_ms"] == 12 * MINUTE_MS
    assert story["reading_ms"] <= 180_000
    page = home.reprise(*ask).stdout
    for shown in ("The Saga", "S1 E1 · Spoiler of 1.1", "S1 E2 · up to 12:00", "Ann", "S1 E2 at"):
        assert shown in page
    for hidden in ("Spoiler of 1.2", "Spoiler of 1.3", "2x", "Guest 1x3", "kind of 1x2"):
        assert hidden not in page
        assert hidden not in json.dumps(story)


def test_a_bad_file_is_told_all_of_its_problems_and_not_imported(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "beats.jsonl"
    good = lines_of(told(EPISODES[0]))
    unknown = good[0].replace("saga-1-1", "nobody")
    late = json.loads(good[7]) | {"end_ms": 99 * MINUTE_MS}
    overlapping = json.loads(good[3]) | {"start_ms": 11 * MINUTE_MS, "thumbnail_ms": 18 * MINUTE_MS}
    lines = [*good[:3], json.dumps(overlapping), "{", unknown, *good[4:7], json.dumps(late)]
    file.write_text("\n".join(lines), "utf-8")
    refused = home.json("import", "beats", str(file), expect=1)
    assert not refused["is_imported"]
    assert [bad["line"] for bad in refused["bad_lines"]] == [4, 5, 6, 10]
    shown = home.reprise("import", "beats", str(file), expect=1).stdout
    for line in (4, 5, 6, 10):
        assert f"beats.jsonl line {line}:" in shown
    watch(home.settings, played("a", "saga-1-1"))
    ask = ("story", "--profile", "p", "--series", SERIES_ID)
    assert home.json(*ask)["problem"] == "NO_BEATS"
    stranger = home.reprise("story", "--profile", "p", "--series", "nobody", expect=1)
    assert stranger.stderr == "reprise: NOT_FOUND: no series 'nobody'\n"
