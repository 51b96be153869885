"""The kill switch: while a file is there, nobody is offered the quiz; no restart is needed."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

# How long a replica may go on with what it has seen.
LOOKED_AT_MS: Final = 1_000


class KillSwitch:
    """Off while `path` exists; in Kubernetes a key of a mounted ConfigMap. `now_ms` is any clock.

    A file that cannot be looked at counts as there: not offering is safe.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        self._looked_ms: int | None = None
        self._is_off = False

    @property
    def is_off(self) -> bool:
        """Whether nothing may be offered; a change is seen within LOOKED_AT_MS."""
        now_ms = self._now_ms()
        if self._looked_ms is None or not 0 <= now_ms - self._looked_ms < LOOKED_AT_MS:
            self._looked_ms = now_ms
            try:
                self._is_off = self._path.exists()
            except OSError:
                self._is_off = True
        return self._is_off
