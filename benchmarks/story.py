"""GetStoryRecap of a long series: latency one call at a time, beside an echo of the same size."""

import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import grpc
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.recommend import echo_server
from cli.calling import open_channel
from cli.import_beats import send_beats
from cli.suite import Suite, running, target, with_free_ports
from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.title import Title, TitleKind
from libs.serving.settings import SuiteSettings
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import story_pb2, story_pb2_grpc
from services.events.events_codec import event_message

CALLS: Final = 2_000
WARM_UP: Final = 200
SEASONS: Final = 8
EPISODES: Final = 10
BEATS: Final = 30  # of an episode
WORDS: Final = 22  # of a beat
SEEN: Final = (5, 40, 79)  # episodes, by profile
DURATION_MS: Final = 45 * 60_000
SERIES_ID: Final = "long"

# Bytes in, bytes out: the client's own decoding is not what is measured.
Call: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"


def run() -> dict[str, Any]:
    """Measure on invented beats in a home of its own; returns the figures that it prints."""
    with tempfile.TemporaryDirectory() as folder:
        settings = with_free_ports(SuiteSettings(home=Path(folder)))
        with running(settings, names=("events", "candidates", "recap"), is_trained=False) as suite:
            upsert_s = _fill(settings)
            process = psutil.Process(suite.process("recap").pid)
            stories = {str(seen): _story(suite, seen, process) for seen in SEEN}
    size = round(stories[str(SEEN[-1])]["answer_bytes"])
    with echo_server(size) as (echo_at, own), grpc.insecure_channel(echo_at) as channel:
        call: Call = channel.unary_unary("/benchmarks.Echo/Call")
        echo = _measure(call, b"x" * 40, own)
    figures = {
        "machine": machine(),
        "calls": CALLS,
        "episodes": SEASONS * EPISODES,
        "beats": SEASONS * EPISODES * BEATS,
        "upsert_episode_ms": upsert_s / (SEASONS * EPISODES) * 1000,
        "stories": stories,
        "echo": echo,
    }
    _show(figures)
    return figures


def _fill(settings: SuiteSettings) -> float:
    """A series with its beats, and a profile for each of SEEN; the seconds that beats took."""
    episodes = [
        Title(
            f"long-{season}-{number}",
            TitleKind.EPISODE,
            f"Episode {number}",
            parent_id=SERIES_ID,
            season_number=season,
            episode_number=number,
            duration_ms=DURATION_MS,
        )
        for season in range(1, SEASONS + 1)
        for number in range(1, EPISODES + 1)
    ]
    titles = [Title(SERIES_ID, TitleKind.SERIES, "Long"), *episodes]
    with open_channel(settings, "candidates") as channel:
        candidates_pb2_grpc.CandidatesServiceStub(channel).UpsertTitles(
            candidates_pb2.UpsertTitlesRequest(titles=map(title_message, titles)), timeout=30
        )
    events = [
        Event(
            f"{seen}-{title.title_id}",
            f"p{seen}",
            EventKind.PROGRESS,
            1_750_000_000_000,
            title_id=title.title_id,
            detail=WatchedInterval(0, DURATION_MS, DURATION_MS),
        )
        for seen in SEEN
        for title in episodes[:seen]
    ]
    with open_channel(settings, "events") as channel:
        events_pb2_grpc.EventsServiceStub(channel).RecordEvents(
            events_pb2.RecordEventsRequest(events=map(event_message, events)), timeout=30
        )
    random = Random(1)
    beats = [_beats(random, title) for title in episodes]
    started = time.perf_counter()
    with open_channel(settings, "recap") as channel:
        stub = story_pb2_grpc.StoryServiceStub(channel)
        assert sum(changed for _, changed in send_beats(stub, SERIES_ID, beats)) == len(beats)
    return time.perf_counter() - started


def _beats(random: Random, title: Title) -> EpisodeBeats:
    """Beats of words that are as rare as those of a language: the n-th comes 1 / n as often."""
    vocabulary = range(1, 4_001)
    weights = [1 / rank for rank in vocabulary]
    width_ms = DURATION_MS // BEATS
    beats = []
    for place in range(BEATS):
        words = random.choices(vocabulary, weights, k=WORDS)
        one, other = (f"Character {n}" for n in random.sample(range(24), 2))
        beats.append(
            Beat(
                place * width_ms,
                (place + 1) * width_ms,
                " ".join(f"w{word}" for word in words),
                (one, other),
                (Relation(one, other, "friend"),),
                random.random(),
                place * width_ms,
            )
        )
    return EpisodeBeats(title.title_id, tuple(beats))


def _story(suite: Suite, seen: int, process: psutil.Process) -> dict[str, float]:
    request = story_pb2.GetStoryRecapRequest(
        profile_id=f"p{seen}", series_id=SERIES_ID, length=story_pb2.STORY_LENGTH_MINUTES_3
    ).SerializeToString()
    with grpc.insecure_channel(target(suite.settings, "recap")) as channel:
        call: Call = channel.unary_unary("/reprise.recap.v1.StoryService/GetStoryRecap")
        answer = call(request, timeout=30)
        told = story_pb2.GetStoryRecapResponse.FromString(answer)
        assert told.beats
        assert told.watched_episode_count == seen
        return {
            **_measure(call, request, process),
            "answer_bytes": len(answer),
            "told": len(told.beats),
        }


def _measure(call: Call, request: bytes, process: psutil.Process) -> dict[str, float]:
    """One call at a time; CPU is user + system of the serving process alone."""
    for _ in range(WARM_UP):
        call(request, timeout=5)
    before = process.cpu_times()
    latencies = np.empty(CALLS)
    for place in range(CALLS):
        started = time.perf_counter()
        call(request, timeout=5)
        latencies[place] = time.perf_counter() - started
    after = process.cpu_times()
    used_s = after.user + after.system - before.user - before.system
    p50, p99 = np.percentile(latencies * 1000, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "cpu_ms": used_s / CALLS * 1000}


def _show(figures: dict[str, Any]) -> None:
    table = Table(
        title=f"GetStoryRecap of 3 min, one call at a time (n = {CALLS:,}):"
        f" {figures['beats']:,} beats of {figures['episodes']} episodes"
    )
    for column in ("episodes seen", "p50 ms", "p99 ms", "CPU ms a call"):
        table.add_column(column, justify="right")
    rows = {**figures["stories"], "echo": figures["echo"]}
    for name, row in rows.items():
        cells = (f"{row[key]:.2f}" for key in ("p50_ms", "p99_ms", "cpu_ms"))
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    console.print(f"UpsertBeats: {figures['upsert_episode_ms']:.1f} ms an episode")
    console.print(f"[dim]{figures['machine']}[/]")
