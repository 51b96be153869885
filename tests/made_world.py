"""A small simulated service in memory, and what training it takes."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.features import title_replay
from libs.features.event_columns import EventColumns, from_events
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_replay import TitleBase
from libs.models.retrieval_model import to_unit_length
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from training.config import CollaborativeConfig, RankerConfig, TrainingConfig, TreesConfig

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
            [event for event in self.events if (from_ms or 0) <= event.occurred_ms < until_ms],
            [event for event in self.events if event.occurred_ms < (from_ms or 0)],
        )

    def profile_events(self, tenant: str, until_ms: int) -> Iterator[tuple[str, list[Event]]]:
        ordered = sorted(self.events, key=lambda event: (event.profile_id, event.order))
        kept = [event for event in ordered if event.occurred_ms < until_ms]
        for profile_id, events in groupby(kept, key=lambda event: event.profile_id):
            yield profile_id, list(events)

    def base_of(self, tenant: str, profile_id: str) -> ProfileBase:
        return NO_BASE

    def title_base(self, tenant: str) -> TitleBase:
        return title_replay.NO_BASE

    def compacted_count(self) -> int:
        return 0

    def profiles(self, tenant: str) -> list[Profile]:
        return list(self.stored)


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors from the hash of each text: no meaning, but always the same."""
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    vectors = np.stack([np.random.default_rng(seed).standard_normal(16) for seed in seeds])
    return to_unit_length(vectors.astype(np.float32))


@cache
def small_world(seed: int = 5) -> tuple[MemoryLog, tuple[Title, ...]]:
    world = build_world(
        SimulationConfig(until_ms=UNTIL_MS, seed=seed, profile_count=120, title_count=80, days=42)
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
        ranker=RankerConfig(trees=(TreesConfig(least_rows_in_leaf=20),), most_trees=15, threads=1),
    )


def quiet(stage: str, fraction: float) -> None:
    """No progress."""
