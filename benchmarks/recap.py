"""Recaps: the batch on one core beside one GROUP BY, and GetRecap served and on demand."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.recap_export import UNTIL_MS, made_titles
from libs.domain.event import DAY_MS, Event, EventKind, WatchedInterval
from libs.domain.title import Title
from libs.domain.viewing import ViewingContext
from libs.serving.decoding import timestamp
from libs.storage.catalogue_store import SqliteCatalogueStore
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc
from services.candidates.settings import CandidatesSettings
from services.events.events_codec import event_message

GOAL_PROFILES_S: Final = 1_000.0
GOAL_SERVED_MS: Final = 3.0
GOAL_ON_DEMAND_MS: Final = 60.0

PLAYS: Final = 500
RATE: Final = (10_000, 4)  # profiles, in so many partitions
# Many small partitions: whether what is held after each of them grows.
GROWTH: Final = (16_000, 16)
ON_DEMAND_PLAYS: Final = 2_000
CALLS: Final = 300
ON_DEMAND_CALLS: Final = 30


def run() -> dict[str, Any]:
    """Measure and print; returns the figures."""
    large, many = _batch(*RATE), _batch(*GROWTH)
    # The first partition fills what the allocators keep for the next.
    held = np.array(many["held_bytes"][1:])
    slope = np.polyfit(np.arange(len(held)), held, 1)[0] * GROWTH[1] / GROWTH[0]
    served_ms, on_demand_ms, on_demand_cpu_ms = asyncio.run(_served())
    figures = {
        "machine": machine(),
        "profiles_cpu_s": large["profiles"] / large["cpu_s"],
        "unassessed_profiles_cpu_s": large["profiles"] / (large["cpu_s"] - large["split_cpu_s"]),
        "assessed_profiles_cpu_s": large["profiles"] / large["split_cpu_s"],
        "goal_profiles_s": GOAL_PROFILES_S,
        "ratio_to_group_by": large["cpu_s"] / large["group_by_cpu_s"],
        "peak_bytes": large["peak_bytes"],
        "small_partitions_peak_bytes": many["peak_bytes"],
        "bytes_a_profile": float(slope),
        "million_profiles_bytes": many["peak_bytes"] + max(float(slope), 0) * 1_000_000,
        "row_bytes": large["row_bytes"],
        "disagreeing": large["disagreeing"],
        "served_p50_ms": float(np.percentile(served_ms, 50)),
        "served_p99_ms": float(np.percentile(served_ms, 99)),
        "goal_served_ms": GOAL_SERVED_MS,
        "on_demand_p50_ms": float(np.percentile(on_demand_ms, 50)),
        "goal_on_demand_ms": GOAL_ON_DEMAND_MS,
        "on_demand_cpu_ms": on_demand_cpu_ms,
    }
    _show(figures)
    return figures


def _batch(profiles: int, partitions: int) -> dict[str, Any]:
    """A run of its own process, on one thread of each program."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.recap_batch", str(profiles), str(partitions)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"POLARS_MAX_THREADS": "1"},
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _history(titles: list[Title]) -> list[Event]:
    rng = np.random.default_rng(3)
    played = [title for title in titles if title.parent_id][:400]
    context = ViewingContext(time_zone="Europe/Berlin")
    found = []
    for place in range(ON_DEMAND_PLAYS):
        title = played[int(rng.integers(0, len(played)))]
        at_ms = UNTIL_MS - (place + 1) * DAY_MS // 4
        length_ms = int(rng.integers(5, 46)) * 60_000
        for ending, kind, when_ms, to_ms in (
            ("a", EventKind.PLAY, at_ms, 0),
            ("b", EventKind.STOP, at_ms + length_ms, length_ms),
        ):
            found.append(
                Event(
                    f"{place}{ending}",
                    "watcher",
                    kind,
                    when_ms,
                    title_id=title.title_id,
                    context=context,
                    detail=WatchedInterval(0, to_ms, 46 * 60_000),
                )
            )
    return found


async def _served() -> tuple[list[float], list[float], float]:
    """Times of a recap that was recorded and of one that is counted; one call at a time.

    And of the latter the CPU time of a call: all services and the caller are in this process.
    """
    from tests.made_suite import fill, served

    titles = made_titles(1_200, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, "default", "t")
        store = SqliteCatalogueStore(CandidatesSettings(home=home).catalogue_path)
        store.upsert("default", titles)
        store.close()
        async with served(home) as suite:
            events = [event_message(event) for event in _history(titles)]
            await events_pb2_grpc.EventsServiceStub(suite.events).RecordEvents(
                events_pb2.RecordEventsRequest(events=events)
            )
            stub = recap_pb2_grpc.RecapServiceStub(suite.recap)
            wanted = recap_pb2.GetRecapRequest(
                profile_id="watcher", period=recap_pb2.Period(lifetime=True)
            )
            for _ in range(3):
                await _timed(stub, wanted)
            begun = time.process_time()
            on_demand = [await _timed(stub, wanted) for _ in range(ON_DEMAND_CALLS)]
            on_demand_cpu_ms = (time.process_time() - begun) * 1e3 / ON_DEMAND_CALLS
            counted = await stub.GetRecap(wanted)
            stories: dict[str, dict[str, int | str]] = {}
            for card in counted.cards:
                stories[card.card_id] = {
                    fact.fact_id: getattr(fact, str(fact.WhichOneof("value")))
                    for fact in card.facts
                }
            run = recap_pb2.RecordRecapsRequest(
                run_id="run",
                period="lifetime",
                cutoff_time=timestamp(UNTIL_MS),
                rows=[recap_pb2.RecapRow(profile_id="watcher", stories_json=json.dumps(stories))],
                is_last=True,
            )
            async for _ in stub.RecordRecaps(iter([run])):
                pass
            assert (await stub.GetRecap(wanted)).is_precomputed
            stored = [await _timed(stub, wanted) for _ in range(CALLS)]
            return stored, on_demand, on_demand_cpu_ms


async def _timed(stub: Any, request: recap_pb2.GetRecapRequest) -> float:
    begun = time.perf_counter()
    answer = await stub.GetRecap(request)
    took_ms = (time.perf_counter() - begun) * 1e3
    assert answer.level == recap_pb2.RECAP_LEVEL_FULL
    return took_ms


def _show(figures: dict[str, Any]) -> None:
    table = Table(title="recap", show_header=True)
    for column in ("figure", "measured", "goal"):
        table.add_column(column)
    table.add_row(
        f"profiles a CPU second, {PLAYS} plays each, verified",
        f"{figures['unassessed_profiles_cpu_s']:,.0f}",
        f"{GOAL_PROFILES_S:,.0f}",
    )
    table.add_row(
        "and whether they are shared assessed",
        f"{figures['profiles_cpu_s']:,.0f}",
    )
    table.add_row(
        "profiles a CPU second, that assessment alone",
        f"{figures['assessed_profiles_cpu_s']:,.0f}",
    )
    table.add_row("CPU time of one GROUP BY over the file", f"{figures['ratio_to_group_by']:.0f}x")
    for name, (profiles, partitions) in (("peak", RATE), ("small_partitions_peak", GROWTH)):
        table.add_row(
            f"peak memory, partitions of {profiles // partitions:,}",
            f"{figures[f'{name}_bytes'] / 2**30:.2f} GiB",
        )
    table.add_row("held after it, a further profile", f"{figures['bytes_a_profile'] / 1e3:.1f} kB")
    table.add_row("memory for 1M profiles", f"{figures['million_profiles_bytes'] / 2**30:.1f} GiB")
    table.add_row("stored row", f"{figures['row_bytes'] / 1e3:.1f} kB")
    table.add_row(
        "GetRecap served, p50 / p99",
        f"{figures['served_p50_ms']:.1f} / {figures['served_p99_ms']:.1f} ms",
        f"{GOAL_SERVED_MS:.0f} ms",
    )
    table.add_row(
        f"GetRecap on demand, {ON_DEMAND_PLAYS:,} plays, p50",
        f"{figures['on_demand_p50_ms']:.0f} ms",
        f"{GOAL_ON_DEMAND_MS:.0f} ms",
    )
    table.add_row("CPU of it, all services", f"{figures['on_demand_cpu_ms']:.0f} ms")
    Console().print(table)
