"""Where and how one service's process runs; what a composition root hands to `serve`."""

from dataclasses import dataclass, field
from pathlib import Path

from libs.serving.limits import Limits


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of a worker: its number from 1, and the descriptor that links it to its parent."""

    number: int
    link: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Ports (0: any free one), processes, limits and the end of one service's process."""

    name: str
    host: str
    port: int
    health_port: int
    metrics_port: int
    # The folder of what lives no longer than the process.
    run_path: Path
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    # How long a process that was told to stop says so before it refuses calls, and how long
    # those under way may then take.
    notice_ms: int = 0
    drain_ms: int = 5_000
    trace_ratio: float = 0.0
    # Where spans of sampled calls go; "" is nowhere.
    otlp_endpoint: str = ""
    # Set in a process that was started as a worker.
    seat: Seat | None = None
