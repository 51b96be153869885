"""The watched prefix: up to where a profile knows the story of a series.

Episodes count in order up to the first that was not seen, with the beginning of that one. Within
each of them only what was watched from its beginning without a gap is known: who has seen 90% of
an episode goes on to the next one, and has not seen its last minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from libs.features.profile_state import ProfileState
from libs.features.progress import Progress, progress

# Catalogues tell running times in whole minutes. What differs by more is another cut, and
# nobody knows where in it the watched minutes are.
RECUT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class WatchedPrefix:
    """What of a series was watched, as far as that tells its story."""

    progress: Progress
    until_ms: Mapping[str, int]  # by episode, in order: a beat that ends by then is known

    @property
    def is_begun(self) -> bool:
        """Whether anything of the first episode was watched from its beginning."""
        return bool(self.progress.seen_ids) or self.progress.next_prefix_ms > 0


def watched_prefix(
    state: ProfileState, episode_ids: Sequence[str], durations_ms: Mapping[str, Sequence[int]]
) -> WatchedPrefix:
    """What `state` has watched of episodes that are in order.

    `durations_ms` are those that others than the player name for an episode: the catalogue's of
    now, and that of when its beats were told.
    """
    found = progress(state, episode_ids)
    place_of = {title_id: place for place, title_id in enumerate(state.title_ids)}
    until_ms = {}
    for episode_id in (*found.seen_ids, found.next_id):
        if episode_id in place_of:
            record = state.records[place_of[episode_id]]
            until_ms[episode_id] = known_until_ms(
                int(record["prefix_ms"]), int(record["duration_ms"]), durations_ms[episode_id]
            )
    return WatchedPrefix(found, until_ms)


def known_until_ms(prefix_ms: int, played_ms: int, told_ms: Sequence[int]) -> int:
    """Up to where an episode is known of which `prefix_ms` were watched from the beginning.

    `played_ms` is its duration as the player said, `told_ms` as others say; 0 is not known. Where
    they differ a little, that much may have been cut out before, so that much less is known; where
    they differ by more than RECUT_MS, nothing is.
    """
    known = [duration for duration in (played_ms, *told_ms) if duration > 0]
    apart_ms = max(known, default=0) - min(known, default=0)
    if apart_ms > RECUT_MS:
        return 0
    if 0 < played_ms <= prefix_ms:  # all that there was
        return min(prefix_ms, *known)
    return max(0, prefix_ms - apart_ms)
