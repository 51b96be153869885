"""What a run is to do, checked before anything is sent."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from libs.faults import StartFault

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0}
_LONGEST_S: Final = 3_600.0  # of a run or a call


def parse_duration(text: str) -> float:
    """Seconds of "500ms", "10s", "2m" or "10"; raises StartFault for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise StartFault(f"{text!r} is no duration; write 500ms, 10s or 2m")
    return float(found[1]) * _UNIT_S[found[2]]


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: whom to trust and, for mutual TLS, who one is."""

    ca_path: Path
    certificate_path: Path | None = None
    key_path: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate_path is None) != (self.key_path is None):
            raise StartFault("--cert and --key belong together")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How to load one method.

    With `rate` the loop is open: calls leave by the clock, rate a second, whatever the answers
    do. Without it the loop is closed: `concurrency` callers each wait for their answer.
    The run ends after `total` calls or `duration_s`, whichever is first; one must be given.
    """

    target: str
    call: str
    total: int | None = None
    duration_s: float | None = None
    rate: float | None = None
    concurrency: int = 50
    connections: int = 1
    processes: int = 1
    timeout_s: float = 20.0
    cores: tuple[int, ...] = ()  # client process i runs on cores[i % len]; empty: anywhere
    seed: int = 1
    answers_per_stream: int | None = None  # hang up after so many; None reads to the end
    metadata: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: Tls | None = None

    def __post_init__(self) -> None:
        if self.total is None and self.duration_s is None:
            raise StartFault("a run has an end: give -n (calls) or -z (duration)")
        if self.rate is None and self.concurrency < self.processes:
            raise StartFault("-c must be at least --processes: each has a caller of its own")
        for option, value, least, most in (
            ("-n", self.total, 1, 1_000_000_000),
            ("-z", self.duration_s, 0.001, _LONGEST_S),
            ("-r", self.rate, 0.001, 1_000_000),
            ("-c", self.concurrency, 1, 10_000),
            ("--processes", self.processes, 1, 64),
            ("--connections", self.connections, 1, 1_000),
            ("--timeout", self.timeout_s, 0.001, _LONGEST_S),
            ("--stream-count", self.answers_per_stream, 1, 1_000_000_000),
        ):
            if value is not None and not least <= value <= most:
                raise StartFault(f"{option} must be from {least:,} to {most:,.0f}")

    @property
    def is_open_loop(self) -> bool:
        """Whether calls leave by the clock."""
        return self.rate is not None

    @property
    def call_count(self) -> int | None:
        """How many calls the plan makes; None where that depends on the answers."""
        if self.rate is None or self.duration_s is None:
            return self.total if self.duration_s is None else None
        by_time = max(1, round(self.rate * self.duration_s))
        return by_time if self.total is None else min(by_time, self.total)
