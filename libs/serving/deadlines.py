"""How long a call may take, and how much of that is left."""

import math
import time
from dataclasses import dataclass
from typing import Any

import grpc.aio

from libs.serving.limits import DEFAULT_DEADLINE_MS


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock by which the answer must have left."""

    at_s: float

    def remaining_s(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at_s - time.monotonic())

    def share_s(self, fraction: float, *, most_s: float = math.inf) -> float:
        """A part of the seconds left, for one call downstream."""
        return min(self.remaining_s() * fraction, most_s)


def deadline_of(
    context: "grpc.aio.ServicerContext[Any, Any]", *, default_ms: int = DEFAULT_DEADLINE_MS
) -> Deadline:
    """The call's deadline, or `default_ms` from now when the caller named none."""
    remaining = _remaining_s(context)
    return Deadline(time.monotonic() + (default_ms / 1000 if remaining is None else remaining))


def has_deadline(context: "grpc.aio.ServicerContext[Any, Any]") -> bool:
    """Whether the caller named a deadline."""
    return _remaining_s(context) is not None


def _remaining_s(context: "grpc.aio.ServicerContext[Any, Any]") -> float | None:
    remaining: float | None = context.time_remaining()  # the published stubs forget None
    return remaining
