"""What a training run has to say for itself."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from training.judge import Judged

# Called with the name of the stage and how much of it is done, 0 to 1.
Progress: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The outcome; `judged` is of the last slice of time, which the judged models had not seen."""

    version: str
    trained_until_ms: int  # as asked, or the end of the log where that comes first
    event_count: int
    profile_count: int
    title_count: int
    evaluated_count: int
    tree_count: int  # 0: too little to train a ranker from, the bundle has none
    judged: tuple[Judged, ...]  # a method each; without a ranker none is called ranking
    stage_seconds: tuple[tuple[str, float], ...]
    peak_memory_bytes: int


@dataclass(slots=True)
class Stopwatch:
    """Times the stages of a run and tells the progress of each."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float], None]]:
        """Time one stage; yields what to call with the fraction done."""
        started = time.perf_counter()
        self.progress(name, 0.0)
        yield lambda fraction: self.progress(name, fraction)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self.progress(name, 1.0)


def peak_memory_bytes() -> int:
    """The most memory this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
