"""Keeps the follower alive as a process of its own, beside one that records."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

import structlog

_RETRY_S: Final = 0.25
_STOP_S: Final = 5.0

COMMAND: Final = (sys.executable, "-m", "services.events.following")


class FollowerProcess:
    """As Follower: runs until it is stopped, and starts another process where one has ended."""

    def __init__(
        self, on_behind: Callable[[float], None], command: tuple[str, ...] = COMMAND
    ) -> None:
        """`command` is started with the number of the pipe that it tells `on_behind`'s value on."""
        self._on_behind = on_behind
        self._command = command
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = structlog.get_logger()

    def stop(self) -> None:
        """Let `run` return soon."""
        with self._lock:
            self._stop.set()
            if self._process is not None:
                self._process.terminate()

    def run(self) -> None:
        """Start it again and again, until stopped."""
        while not self._stop.is_set():
            reading, writing = os.pipe()
            try:
                with self._lock:
                    if self._stop.is_set():
                        return
                    self._process = subprocess.Popen(  # noqa: S603  ours
                        [*self._command, str(writing)], pass_fds=[writing], stdin=subprocess.DEVNULL
                    )
            finally:
                os.close(writing)
            with os.fdopen(reading) as told:
                for line in told:
                    self._on_behind(float(line))
            code = self._ended(self._process)
            if not self._stop.is_set():
                self._log.warning("the follower has ended", code=code)
                self._stop.wait(_RETRY_S)

    def _ended(self, process: "subprocess.Popen[bytes]") -> int:
        """The exit code, soon: who has closed its pipe has nothing left to do."""
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
