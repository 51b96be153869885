"""The session under way: what a viewer was shown and took up since it sat down.

Computed on read from the newest of the history; where the last event is older than the gap that
ends a session there is none, whatever is stored.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.profile_view import ProfileView

# The usual gap of web analytics; a movie's progress reports are closer than that.
SESSION_GAP_MS: Final = 30 * 60_000
# Nobody sits for longer; what looks like it is a device that was left on.
_LONGEST_MS: Final = DAY_MS // 2


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Rows are of the bundle, the newest first."""

    started_ms: int
    newest_ms: int
    played: NDArray[np.int32]  # (p,) played or rated
    ignored: NDArray[np.int32]  # (i,) shown, and not taken up


def current_session(view: ProfileView, at_ms: int) -> Session | None:
    """The session that `at_ms` is in; None where the last one is over."""
    touched_ms = np.maximum(view.last_ms, view.shown_ms)
    recent = np.flatnonzero((touched_ms > at_ms - _LONGEST_MS) & (touched_ms <= at_ms))
    recent = recent[np.lexsort((view.rows[recent], -touched_ms[recent]))]
    times = touched_ms[recent]
    gaps = -np.diff(times, prepend=at_ms)
    ends = np.flatnonzero(gaps > SESSION_GAP_MS)
    count = int(ends[0]) if len(ends) else len(times)
    if count == 0:
        return None
    mine = recent[:count]
    started_ms = int(times[count - 1])
    is_played = view.last_ms[mine] >= started_ms
    return Session(
        started_ms=started_ms,
        newest_ms=int(times[0]),
        played=view.rows[mine[is_played]],
        ignored=view.rows[mine[~is_played]],
    )
