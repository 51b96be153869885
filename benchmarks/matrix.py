"""The ready matrix of one profile and 500 titles: what a request pays before it can score."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.profile import Profile
from libs.domain.viewing import Device, ViewingContext
from libs.features.catalogue_columns import from_titles, is_recommendable, recommendable_ids
from libs.features.profile_state import ProfileState, encode_profile_counters, unexpired
from libs.features.profile_view import resolve
from libs.features.ranking_matrix import FEATURE_NAMES, SOURCE_NAMES, Spaces, Viewer, assemble
from libs.features.title_statistics import statistics
from libs.features.title_table import LiveTitleCounters
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import read_catalogue
from libs.storage.feature_reader import FeatureReader
from libs.storage.log_reader import LogReader
from libs.storage.redis.client import open_async_client, open_client
from libs.storage.redis.feature_reader import RedisProfiles
from libs.storage.redis.feature_writer import ANY, FeatureWriter, ProfileWrite
from libs.storage.redis.keys import COUNTERS, PROFILE, TITLE
from libs.storage.redis.profile_hash import encode_profile
from tests.made_servers import running_redis

PROFILES: Final = 500
ROUNDS: Final = 6
TITLES: Final = 500
DIMENSIONS: Final = (64, 128)  # of the vectors that training makes
GOALS_MS: Final = {"embedded": 0.4, "redis": 1.5}
Read = tuple[Profile | None, ProfileState]
PARTS: Final = ("read", "resolve", "assemble", "whole")


def run() -> dict[str, Any]:
    """Measure on the data in var/; returns the figures that it prints.

    The reference is of the same run: the cells alone, copied from a matrix of all titles.
    """
    settings = SuiteSettings()
    log = LogReader(settings.events_path)
    profile_ids = [profile.profile_id for profile in log.profiles(DEFAULT_TENANT)]
    rng = np.random.default_rng(1)
    if len(profile_ids) > PROFILES:
        profile_ids = sorted(rng.choice(profile_ids, PROFILES, replace=False).tolist())
    at_ms = log.newest_event_ms(DEFAULT_TENANT)
    reader = FeatureReader(settings.events_path)
    figures: dict[str, Any] = {
        "machine": machine(),
        "titles": TITLES,
        "features": len(FEATURE_NAMES),
        "goals_ms": GOALS_MS,
    }

    for name, times in asyncio.run(_both(settings, reader, profile_ids, at_ms, rng)).items():
        p50, p99 = np.percentile(times, [50, 99], axis=0)
        figures[name] = {"n": len(times)} | {
            part: {"p50_ms": float(p50[place]), "p99_ms": float(p99[place])}
            for place, part in enumerate((*PARTS, "reference"))
        }
    _show(figures)
    return figures


async def _both(
    settings: SuiteSettings,
    reader: FeatureReader,
    profile_ids: list[str],
    at_ms: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """The times of `_times`, on an event loop as in ranking, wherever the features are."""

    async def embedded(profile_id: str) -> Read | None:
        return reader.profile(DEFAULT_TENANT, profile_id)

    with running_redis() as server:
        client = open_client(server.url(), timeout_s=5.0)
        writer = FeatureWriter(client, epoch=1, ttl_ms=10**9)
        writer.write(_write(profile_id, reader) for profile_id in profile_ids)
        client.close()
        profiles = RedisProfiles(open_async_client(server.url()))

        async def from_redis(profile_id: str) -> Read | None:
            return await profiles.profile(DEFAULT_TENANT, profile_id, timeout_s=5.0)

        found = {
            name: np.array(
                [times async for times in _times(settings, read, profile_ids, at_ms, rng)]
            )
            for name, read in (("embedded", embedded), ("redis", from_redis))
        }
        await profiles.close()
    return found


def _write(profile_id: str, reader: FeatureReader) -> ProfileWrite:
    """What a follower would have written of the profile."""
    profile, state = reader.profile(DEFAULT_TENANT, profile_id)
    write = ProfileWrite(DEFAULT_TENANT, profile_id, ANY, 1)
    write.fields[COUNTERS] = encode_profile_counters(state)
    write.fields[PROFILE] = encode_profile(profile)
    for title_id, record in zip(state.title_ids, state.records, strict=True):
        write.fields[TITLE + title_id.encode()] = record.tobytes()
    return write


async def _times(
    settings: SuiteSettings,
    read_profile: Callable[[str], Awaitable[Read | None]],
    profile_ids: list[str],
    at_ms: int,
    rng: np.random.Generator,
) -> AsyncIterator[tuple[float, ...]]:
    """Milliseconds of each of PARTS and of the reference, for every profile and round."""
    titles = read_catalogue(settings.catalogue_path, DEFAULT_TENANT)
    columns = from_titles(titles, recommendable_ids(titles))
    reader = FeatureReader(settings.events_path)
    live = LiveTitleCounters()
    live.apply(reader.title_changes(DEFAULT_TENANT, 0))
    context = ViewingContext(device=Device.TV, country="DE", time_zone="Europe/Berlin")
    block = statistics(live.table(at_ms), columns, context.country).block
    count = len(columns.title_ids)
    spaces = Spaces(*(_unit(rng, (count, size)) for size in DIMENSIONS))
    pool = np.flatnonzero(is_recommendable(columns)).astype(np.int32)
    shape = (min(TITLES, len(pool)), len(SOURCE_NAMES))
    ranks, scores = np.full(shape, 5, np.int32), np.zeros(shape, np.float32)
    cells = rng.random((count, len(FEATURE_NAMES)), np.float32)
    for _ in range(ROUNDS):
        for profile_id in profile_ids:
            rows = rng.choice(pool, shape[0], replace=False)
            begun = time.perf_counter()
            found = await read_profile(profile_id)
            assert found is not None
            profile, state = found
            read = time.perf_counter()
            view = resolve(unexpired(state, at_ms), columns)
            resolved = time.perf_counter()
            viewer = Viewer(profile, view, state.counters, context, at_ms)
            assemble(
                viewer, columns, block, spaces, rows=rows, source_ranks=ranks, source_scores=scores
            )
            ended = time.perf_counter()
            cells[rows]
            copied = time.perf_counter()
            marks = np.array([begun, read, resolved, ended])
            yield (*np.diff(marks) * 1e3, (ended - begun) * 1e3, (copied - ended) * 1e3)


def _unit(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    vectors = rng.standard_normal(shape)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return unit


def _show(figures: dict[str, Any]) -> None:
    console = Console()
    for name, goal_ms in GOALS_MS.items():
        found = figures[name]
        title = f"One profile and {figures['titles']} titles, {name}, n = {found['n']:,}"
        table = Table(title=title, caption=f"goal p50 {goal_ms} ms")
        table.add_column("part")
        for column in ("p50 ms", "p99 ms"):
            table.add_column(column, justify="right")
        for part in (*PARTS, "reference"):
            table.add_row(part, f"{found[part]['p50_ms']:.3f}", f"{found[part]['p99_ms']:.3f}")
        console.print(table)
    console.print(
        f"[dim]{figures['features']} features; the reference copies as many cells;"
        f" {figures['machine']}[/]"
    )
