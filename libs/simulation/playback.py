"""One playback of one title, from PLAY to STOP or COMPLETE, as events."""

from typing import Final

import numpy as np

from libs.domain.event import EventKind, WatchedInterval
from libs.domain.viewing import Surface
from libs.simulation.journal import Journal

_PAUSE_SHARE: Final = 0.05
_SEEK_SHARE: Final = 0.03
_PROGRESS_MS: Final = 40 * 60_000  # about one progress report per this much watched


def play(
    journal: Journal,
    at_ms: int,
    title_id: str,
    *,
    from_ms: int,
    to_ms: int,
    duration_ms: int,
    rng: np.random.Generator,
) -> int:
    """Record watching `from_ms` to `to_ms` of a title and return when it ended (Unix ms).

    The watched intervals follow each other without overlap; a SEEK jumps a piece over. Media
    time passes at normal speed. It is COMPLETE where to_ms is the end, else STOP.
    """

    def record(kind: EventKind, begin_ms: int, end_ms: int) -> None:
        watched = WatchedInterval(begin_ms, end_ms, duration_ms)
        journal.record(kind, now_ms, Surface.PLAYER, title_id, watched)

    now_ms, place_ms = at_ms, from_ms
    record(EventKind.PLAY, from_ms, from_ms)
    pieces = min(1 + int((to_ms - from_ms) // _PROGRESS_MS), 3)
    for place in np.sort(rng.integers(from_ms, to_ms, pieces - 1) if pieces > 1 else []).tolist():
        if place <= place_ms:
            continue
        now_ms += place - place_ms
        draw = rng.random()
        if draw < _PAUSE_SHARE:
            record(EventKind.PAUSE, place_ms, place)
            now_ms += int(rng.exponential(4 * 60_000))
        else:
            record(EventKind.PROGRESS, place_ms, place)
        place_ms = place
        if draw > 1 - _SEEK_SHARE:
            jump_ms = min(int(rng.integers(10_000, 180_000)), (to_ms - place_ms) // 2)
            now_ms += 1_000
            record(EventKind.SEEK, place_ms, place_ms + jump_ms)
            place_ms += jump_ms
    now_ms += to_ms - place_ms
    record(EventKind.COMPLETE if to_ms >= duration_ms else EventKind.STOP, place_ms, to_ms)
    return now_ms
