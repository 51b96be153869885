"""The ready matrix of one profile and 500 titles: what a request pays before it can score."""

import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.viewing import Device, ViewingContext
from libs.features.catalogue_columns import from_titles, is_recommendable, recommendable_ids
from libs.features.profile_state import unexpired
from libs.features.profile_view import resolve
from libs.features.ranking_matrix import FEATURE_NAMES, SOURCE_NAMES, Spaces, Viewer, assemble
from libs.features.title_statistics import statistics
from libs.features.title_table import LiveTitleCounters
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import read_catalogue
from libs.storage.feature_reader import FeatureReader
from libs.storage.log_reader import LogReader

PROFILES: Final = 500
ROUNDS: Final = 6
TITLES: Final = 500
DIMENSIONS: Final = (64, 128)  # of the vectors that training makes
GOAL_MS: Final = 0.4
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
    times = np.array(list(_times(settings, profile_ids, log.newest_event_ms(DEFAULT_TENANT), rng)))
    p50, p99 = np.percentile(times, [50, 99], axis=0)
    figures = {
        "machine": machine(),
        "n": len(times),
        "titles": TITLES,
        "features": len(FEATURE_NAMES),
        "goal_ms": GOAL_MS,
        **{
            name: {"p50_ms": float(p50[place]), "p99_ms": float(p99[place])}
            for place, name in enumerate((*PARTS, "reference"))
        },
    }
    _show(figures)
    return figures


def _times(
    settings: SuiteSettings, profile_ids: list[str], at_ms: int, rng: np.random.Generator
) -> Iterator[tuple[float, ...]]:
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
            profile, state = reader.profile(DEFAULT_TENANT, profile_id)
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
    table = Table(title=f"One profile and {figures['titles']} titles, n = {figures['n']:,}")
    table.add_column("part")
    for column in ("p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for name in (*PARTS, "reference"):
        table.add_row(name, f"{figures[name]['p50_ms']:.3f}", f"{figures[name]['p99_ms']:.3f}")
    console = Console()
    console.print(table)
    console.print(
        f"[dim]{figures['features']} features, goal p50 {GOAL_MS} ms; the reference copies as many"
        f" cells; {figures['machine']}[/]"
    )
