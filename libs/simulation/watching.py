"""Watching a chosen title: movies may be interrupted, series go on with the next episode."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import EventKind, MyListChange, Rating, Thumb, ThumbDirection
from libs.domain.viewing import Device, Surface
from libs.simulation.catalogue import Catalogue
from libs.simulation.config import DAY_MS, Detail
from libs.simulation.journal import Journal
from libs.simulation.logging_policy import LoggingPolicy
from libs.simulation.playback import play
from libs.simulation.preferences import Preferences

SECOND_MS: Final = 1_000
# What a title is worth less, in nats, once the viewer has had it.
_SEEN_LIKED: Final = -6.0
_SEEN_LIKED_BY_KIDS: Final = -2.5  # children watch things again
_SEEN_DISLIKED: Final = -5.0
_BOUNCED: Final = -1.5
# What was loved long ago draws again: after so long, so much of its fatigue is gone.
_MISSED_AFTER_MS: Final = 120 * DAY_MS
_MISSED_SHARE: Final = 0.6

_INTERRUPTED: Final = {Device.PHONE: 0.40, Device.TABLET: 0.25}
_INTERRUPTED_ELSEWHERE: Final = 0.12
_NEXT_EPISODE: Final = {Device.PHONE: 0.25, Device.TV: 0.45}
_NEXT_EPISODE_ELSEWHERE: Final = 0.35
_MOST_EPISODES: Final = 4
_LOSES_THREAD: Final = 0.06  # after each episode of a series that is liked
_THUMBS_UP: Final = 0.12
_THUMBS_DOWN: Final = 0.06
_MISTAKEN_THUMB: Final = 0.04
_RATES: Final = 0.02


@dataclass(slots=True)
class Progress:
    """Where a viewer stopped in something it means to go on with."""

    interest: int
    episode: int = 0
    position_ms: int = 0


@dataclass(slots=True, eq=False)
class Viewer:
    """One person on a profile while its history is made."""

    catalogue: Catalogue
    preferences: Preferences
    shown: Preferences  # of the profile's owner: what its pages may show
    policy: LoggingPolicy
    journal: Journal
    rng: np.random.Generator
    fatigue: NDArray[np.float64]  # (n,) at most 0: what was had is worth less
    unfinished: dict[int, Progress]  # by row, the newest last
    listed: set[int]
    is_child: bool = False
    detail: Detail = Detail.FULL
    loved: deque[tuple[int, int, float]] = field(default_factory=deque)  # when, row, fatigue

    def recover(self, at_ms: int) -> None:
        """Let fade what liking did to titles that were begun long before `at_ms`."""
        while self.loved and self.loved[0][0] + _MISSED_AFTER_MS <= at_ms:
            _, row, fatigue = self.loved.popleft()
            self.fatigue[row] -= _MISSED_SHARE * fatigue


def watch(viewer: Viewer, row: int, at_ms: int, device: Device, interest: int) -> int:
    """Watch the title at `row`, anew or where it was left; returns when it ended (Unix ms)."""
    if not viewer.preferences.may_play(row, at_ms):
        return at_ms
    left = viewer.unfinished.pop(row, None)
    if left is not None:
        return _go_on(viewer, row, left, at_ms, device)
    likes = viewer.rng.random() < viewer.preferences.like_probabilities(at_ms, interest)[row]
    if likes:
        return _go_on(viewer, row, Progress(interest), at_ms, device)
    viewer.fatigue[row] += _SEEN_DISLIKED
    ended_ms = sample(viewer, row, at_ms, most_share=0.45)
    _give_opinion(viewer, row, ended_ms, likes=False)
    return ended_ms


def sample(viewer: Viewer, row: int, at_ms: int, *, most_share: float) -> int:
    """Watch the beginning, up to `most_share` of it, and give up; returns when."""
    if not viewer.preferences.may_play(row, at_ms):
        return at_ms
    title_id, duration_ms = _part(viewer, row, 0)
    share = most_share * float(viewer.rng.beta(1.0, 2.5))
    to_ms = max(2 * SECOND_MS, int(duration_ms * share))
    viewer.fatigue[row] += _BOUNCED
    return play(
        viewer.journal,
        at_ms,
        title_id,
        from_ms=0,
        to_ms=to_ms,
        duration_ms=duration_ms,
        rng=viewer.rng,
    )


def _go_on(viewer: Viewer, row: int, progress: Progress, at_ms: int, device: Device) -> int:
    """Watch something liked: one sitting of a movie, one or more episodes of a series."""
    rng, is_first = viewer.rng, progress.episode == 0 and progress.position_ms == 0
    part_count = max(1, len(viewer.catalogue.episodes[row]))
    now_ms = at_ms
    for _ in range(_MOST_EPISODES):
        title_id, duration_ms = _part(viewer, row, progress.episode)
        is_cut = rng.random() < _INTERRUPTED.get(device, _INTERRUPTED_ELSEWHERE)
        to_ms = duration_ms
        if is_cut:
            to_ms -= int((duration_ms - progress.position_ms) * rng.uniform(0.15, 0.8))
        elif rng.random() < 0.3:
            to_ms -= int((duration_ms - progress.position_ms) * rng.uniform(0.01, 0.07))  # credits
        now_ms = play(
            viewer.journal,
            now_ms,
            title_id,
            from_ms=progress.position_ms,
            to_ms=to_ms,
            duration_ms=duration_ms,
            rng=rng,
        )
        if is_cut:
            progress.position_ms = to_ms
            break
        progress.position_ms = 0
        progress.episode += 1
        if progress.episode >= part_count:
            break
        if rng.random() >= _NEXT_EPISODE.get(device, _NEXT_EPISODE_ELSEWHERE):
            break
        if not viewer.preferences.may_play(row, now_ms + 5 * SECOND_MS):
            break
        now_ms += 5 * SECOND_MS
    if progress.episode < part_count and rng.random() >= _LOSES_THREAD:
        viewer.unfinished[row] = progress
    if is_first:
        again = _SEEN_LIKED_BY_KIDS if viewer.is_child else _SEEN_LIKED
        viewer.fatigue[row] += again
        viewer.loved.append((now_ms, row, again))
        _give_opinion(viewer, row, now_ms, likes=True)
    return now_ms


def _part(viewer: Viewer, row: int, number: int) -> tuple[str, int]:
    """What is played: the title itself, or one episode where it is a series."""
    episodes = viewer.catalogue.episodes[row]
    if episodes:
        return episodes[number].title_id, episodes[number].duration_ms
    return viewer.catalogue.title_ids[row], int(viewer.catalogue.traits.duration_ms[row])


def _give_opinion(viewer: Viewer, row: int, at_ms: int, *, likes: bool) -> None:
    """Now and then a thumb or stars, not always as meant; and the list is tidied."""
    rng, journal = viewer.rng, viewer.journal
    title_id = viewer.catalogue.title_ids[row]
    thumb, stars = rng.random(), rng.random()
    if thumb < (_THUMBS_UP if likes else _THUMBS_DOWN):
        is_up = likes != (rng.random() < _MISTAKEN_THUMB)
        direction = ThumbDirection.UP if is_up else ThumbDirection.DOWN
        at_ms += 3 * SECOND_MS
        journal.record(EventKind.THUMB, at_ms, Surface.DETAIL, title_id, Thumb(direction))
    if stars < _RATES:
        value = np.clip(round(rng.normal(4.4 if likes else 2.2, 0.7)), 1, 5)
        at_ms += 3 * SECOND_MS
        journal.record(EventKind.RATING, at_ms, Surface.DETAIL, title_id, Rating(float(value), 5.0))
    if row in viewer.listed:
        viewer.listed.discard(row)
        at_ms += 2 * SECOND_MS
        journal.record(EventKind.MY_LIST, at_ms, Surface.DETAIL, title_id, MyListChange(False))
