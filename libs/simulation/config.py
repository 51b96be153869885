"""What a simulated world is made from; equal configurations give equal worlds."""

import hashlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import numpy as np

DAY_MS: Final = 86_400_000


class Stream(IntEnum):
    """The independent random streams of a world, so that one part never shifts another."""

    LATENT = 1
    CATALOGUE = 2
    TEXT = 3
    HOUSEHOLDS = 4
    TASTE = 5
    POLICY = 6
    HISTORY = 7
    MOVES = 8
    MEMBERS = 9
    MOODS = 10
    BEATS = 11


class Detail(StrEnum):
    """How much of a session is made.

    FULL has pages, impressions, clicks, searches and noise; PLAYS has what was played and the
    opinions on it only, chosen straight from taste: no decisions, twice as fast.
    """

    FULL = "full"
    PLAYS = "plays"


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """Events lie in the `days` before `until_ms` (Unix ms, exclusive).

    `title_count` counts what can be recommended: movies, series and live streams; episodes and
    extras come on top. `events_target` scales how active viewers are so that about that many
    events come out; None leaves their natural activity. `movers_share` is the share of households
    that move to another time zone, for good or for a while; `shared_share` is the share of adults'
    profiles that two to four people watch on.
    """

    until_ms: int
    seed: int = 7
    profile_count: int = 2000
    title_count: int = 1200
    days: int = 56
    events_target: int | None = None
    detail: Detail = Detail.FULL
    movers_share: float = 0.0
    shared_share: float = 0.0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError("seed must not be negative")
        if self.profile_count < 1 or self.profile_count > 9_999_999:
            raise ValueError("profile_count must be from 1 to 9999999")
        if self.title_count < 1 or self.title_count > 999_999:
            raise ValueError("title_count must be from 1 to 999999")
        if self.days < 1 or self.days * DAY_MS > self.until_ms:
            raise ValueError("days must be at least 1 and reach back no further than 1970")
        if self.events_target is not None and self.events_target < 1:
            raise ValueError("events_target must be positive")
        if not 0 <= self.movers_share <= 1:
            raise ValueError("movers_share must be from 0 to 1")
        if not 0 <= self.shared_share <= 1:
            raise ValueError("shared_share must be from 0 to 1")

    @property
    def start_ms(self) -> int:
        """No event is earlier than this (Unix ms)."""
        return self.until_ms - self.days * DAY_MS

    @property
    def week_count(self) -> int:
        """Weeks that have begun before until_ms, and one more for what comes after."""
        return (self.days + 6) // 7 + 1

    @property
    def run_id(self) -> str:
        """Eight hex digits in each event, session and page id: two runs never share one."""
        return hashlib.blake2b(repr(self).encode(), digest_size=4).hexdigest()

    def rng(self, stream: Stream, index: int = 0, *member: int) -> np.random.Generator:
        """The generator of one stream, of one profile in it, or of one member of that."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, stream, index, *member]))
