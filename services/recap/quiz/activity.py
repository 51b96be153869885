"""What a profile does right now, from its features: whether it plays, or is between episodes."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from libs.domain.title import Title, TitleKind
from libs.features.profile_state import ProfileState
from libs.features.progress import progress

# Players report about every minute: what was heard of so lately plays on, on whatever screen.
PLAYING_MS: Final = 2 * 60_000
# So long after an episode its next one is what a viewer came for.
NEXT_EPISODE_MS: Final = 30 * 60_000


def is_playing(state: ProfileState, now_ms: int) -> bool:
    """Whether a playback was heard of just now, also from a player whose clock is ahead."""
    return bool(np.any(state.records["position_at_ms"] > now_ms - PLAYING_MS))


def next_episode_until_ms(
    state: ProfileState,
    titles: Mapping[str, Title],
    episodes: Mapping[str, tuple[str, ...]],
    now_ms: int,
) -> int:
    """Until when an episode was watched too lately, whose next one is unwatched; 0 for none.

    `episodes` are those of each series in order.
    """
    position_ms = state.records["position_at_ms"]
    recent = np.flatnonzero(position_ms > now_ms - NEXT_EPISODE_MS)
    untils = [
        int(position_ms[place]) + NEXT_EPISODE_MS
        for place in recent.tolist()
        if _has_unwatched_next(state, titles.get(state.title_ids[place]), episodes)
    ]
    return max(untils, default=0)


def _has_unwatched_next(
    state: ProfileState, title: Title | None, episodes: Mapping[str, tuple[str, ...]]
) -> bool:
    if title is None or title.kind is not TitleKind.EPISODE:
        return False
    order = episodes.get(title.parent_id, ())
    following = order[order.index(title.title_id) + 1 :][:1] if title.title_id in order else ()
    return bool(following) and not progress(state, following).is_complete
