"""The wall clock, which composition roots hand to all that asks for the time."""

import time


def now_ms() -> int:
    """The present in Unix milliseconds."""
    return time.time_ns() // 1_000_000
