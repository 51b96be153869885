"""The follower as a process of its own: `python -m services.events.following PIPE`.

Writes to the pipe, a number a line, how many seconds of the log the features lack, and ends with
whoever reads it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

import structlog

from libs.faults import StartFault
from libs.serving.settings import read_settings
from libs.telemetry.logs import configure_logs
from services.events.server_store import open_follower
from services.events.settings import EventsSettings

TELL_S: Final = 1.0


def telling(pipe: int, stop: Callable[[], None]) -> Callable[[float], None]:
    """Writes a number to the pipe about once in TELL_S; stops when nobody reads it."""
    told = 0.0

    def tell(behind_s: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < TELL_S:
            return
        told = now
        try:
            os.write(pipe, f"{behind_s}\n".encode())
        except BrokenPipeError:
            stop()

    return tell


def main() -> int:
    """Follow until stopped; returns the exit code."""
    pipe = int(sys.argv[1])
    try:
        settings = read_settings(EventsSettings)
        configure_logs("events-follower", level=settings.log_level)
        tell = telling(pipe, lambda: follower.stop())
        follower = open_follower(settings, tell)
    except StartFault as fault:
        structlog.get_logger().error("the follower cannot start", cause=str(fault))
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: follower.stop())
    follower.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
