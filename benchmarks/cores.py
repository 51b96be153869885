"""Which core runs what."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def two_cores() -> tuple[int, int]:
    """One core for what is measured and another one for who measures."""
    cores = sorted(os.sched_getaffinity(0))
    assert len(cores) >= 2, "a generator needs a core of its own"
    return cores[0], cores[1]


@contextmanager
def started_on(core: int) -> Iterator[None]:
    """What is started within runs on this core for good, all its threads too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
