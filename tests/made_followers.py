"""Whoever follows the log at work, on a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

# Far more than any of them takes to stop.
WITHIN_S: Final = 60.0


class Following(Protocol):
    """A follower, of this process or another."""

    def run(self) -> None:
        """Follow until stopped."""
        ...

    def stop(self) -> None:
        """Let `run` return soon."""
        ...


@contextmanager
def running(follower: Following) -> Iterator[None]:
    """It runs until the end of the block, and not after it."""
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield
    finally:
        follower.stop()
        thread.join(WITHIN_S)
        assert not thread.is_alive()
