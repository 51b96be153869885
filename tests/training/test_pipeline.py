import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.artifacts.bundle import BundleStore
from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import StartFault
from libs.features.event_columns import EventColumns, from_events
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel, to_unit_length
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from tests.made_events import START_MS, watch
from training.config import CollaborativeConfig, RankerConfig, TrainingConfig
from training.pipeline import read_material, train_from
from training.report import Stopwatch, TrainingReport

UNTIL_MS = 20_000 * DAY_MS


@dataclass(frozen=True, slots=True)
class MemoryLog:
    """The log of one tenant as a sorted list."""

    events: tuple[Event, ...]
    stored: tuple[Profile, ...] = ()

    def newest_event_ms(self, tenant: str) -> int:
        return max((event.occurred_ms for event in self.events), default=0)

    def columns(self, tenant: str, until_ms: int, from_ms: int | None = None) -> EventColumns:
        return from_events(
            event for event in self.events if (from_ms or 0) <= event.occurred_ms < until_ms
        )

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        ordered = sorted(self.events, key=lambda event: (event.profile_id, event.order))
        kept = [event for event in ordered if event.occurred_ms < until_ms]
        for profile_id, events in groupby(kept, key=lambda event: event.profile_id):
            yield profile_id, list(events)

    def profiles(self, tenant: str) -> list[Profile]:
        return list(self.stored)


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors from the hash of each text: no meaning, but always the same."""
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    vectors = np.stack([np.random.default_rng(seed).standard_normal(16) for seed in seeds])
    return to_unit_length(vectors.astype(np.float32))


@cache
def small_world() -> tuple[MemoryLog, tuple[Title, ...]]:
    world = build_world(
        SimulationConfig(until_ms=UNTIL_MS, seed=5, profile_count=120, title_count=80, days=42)
    )
    events = tuple(event for history in world.histories() for event in history.events)
    return MemoryLog(events, tuple(world.profiles)), tuple(world.titles)


def make_config(root: Path, *, until_ms: int | None = None) -> TrainingConfig:
    return TrainingConfig(
        events_file=root / "events.sqlite",
        catalogue_file=root / "catalogue.sqlite",
        bundles=root / "bundles",
        cache=root / "cache",
        until_ms=until_ms,
        candidate_limit=60,
        content_dimensions=8,
        collaborative=(CollaborativeConfig(factors=16, iterations=4),),
        ranker=RankerConfig(most_trees=15, least_rows_in_leaf=20, threads=1),
    )


def quiet(stage: str, fraction: float) -> None:
    """No progress."""


def train_small(root: Path, *, until_ms: int | None = None) -> TrainingReport:
    log, titles = small_world()
    return train_from(log, titles, make_config(root, until_ms=until_ms), quiet, 1, encode)


def metric(report: TrainingReport, name: str) -> float:
    (found,) = (metric.value.mean for metric in report.metrics if metric.name == name)
    return found


def test_a_published_bundle_beats_popularity_and_loads(tmp_path: Path) -> None:
    report = train_small(tmp_path)
    assert report.tree_count > 0
    assert report.evaluated_count > 20
    (gain,) = (
        metric.value
        for metric in report.metrics
        if metric.name == "ndcg@10 ranking less popularity 30 days"
    )
    assert gain.low > 0
    store = BundleStore(tmp_path / "bundles")
    assert store.current_version() == report.version
    manifest = store.manifest(report.version)
    model = RetrievalModel.read(store.open_part(report.version, RETRIEVAL_PART), manifest)
    assert model.trained_until_ms == report.trained_until_ms
    assert model.title_count == report.title_count == 80
    Ranker.read(store.open_part(report.version, RANKER_PART), manifest)


def test_the_same_input_gives_the_same_bundle(tmp_path: Path) -> None:
    versions = [train_small(tmp_path / name).version for name in ("one", "two")]
    # A version ends with the digest of all files.
    assert versions[0] == versions[1]


def test_nothing_at_or_after_the_end_is_learnt_from(tmp_path: Path) -> None:
    log, titles = small_world()
    until_ms = UNTIL_MS - 7 * DAY_MS
    whole = train_small(tmp_path / "whole", until_ms=until_ms)
    earlier = MemoryLog(
        tuple(event for event in log.events if event.occurred_ms < until_ms), log.stored
    )
    config = make_config(tmp_path / "earlier", until_ms=until_ms)
    cut_off = train_from(earlier, titles, config, quiet, 1, encode)
    assert whole.version == cut_off.version
    assert whole.trained_until_ms == until_ms


def test_queries_know_nothing_of_their_own_window(tmp_path: Path) -> None:
    log, titles = small_world()
    material = read_material(log, titles, make_config(tmp_path), Stopwatch(quiet), encode)
    asked_count = 0
    for cut, snapshot in zip(material.cuts.all, material.snapshots, strict=True):
        for asked in snapshot.asked:
            asked_count += 1
            assert cut.time_ms <= asked.viewer.at_ms < cut.end_ms
            view = asked.viewer.view
            assert max(view.last_ms.max(initial=0), view.shown_ms.max(initial=0)) < cut.time_ms
            played = view.rows[view.last_ms > 0]
            assert not set(played.tolist()) & set(asked.relevant.tolist())
    assert asked_count > 100


def test_too_little_to_rank_by_still_publishes_retrieval(tmp_path: Path) -> None:
    _, titles = small_world()
    movie = next(title.title_id for title in titles if title.kind.name == "MOVIE")
    log = MemoryLog((watch("a", START_MS, title_id=movie),))
    report = train_from(log, titles, make_config(tmp_path), quiet, 1, encode)
    assert report.tree_count == 0
    manifest = BundleStore(tmp_path / "bundles").manifest(report.version)
    assert set(manifest.parts) == {RETRIEVAL_PART}


@pytest.mark.parametrize(
    ("has_events", "has_titles", "text"),
    [(False, True, "no events"), (True, False, "catalogue is empty")],
)
def test_nothing_to_learn_from_is_one_clear_line(
    tmp_path: Path, has_events: bool, has_titles: bool, text: str
) -> None:
    log, titles = small_world()
    config = make_config(tmp_path)
    some_log = log if has_events else MemoryLog(())
    with pytest.raises(StartFault, match=text):
        train_from(some_log, titles if has_titles else (), config, quiet, 1, encode)
    assert not config.bundles.exists()


def test_progress_names_every_stage_and_ends_each_at_one(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    log, titles = small_world()
    report = train_from(
        log,
        titles,
        make_config(tmp_path),
        lambda stage, done: told.append((stage, done)),
        1,
        encode,
    )
    last = dict(told)
    assert set(last) == {stage for stage, _ in report.stage_seconds}
    assert set(last.values()) == {1.0}
    assert report.peak_memory_bytes > 10_000_000
