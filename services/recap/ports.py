"""What the recap service needs of others."""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from libs.domain.event import EventKind
from libs.features.watched_days import WatchedDay


@dataclass(frozen=True, slots=True)
class HeldHistory:
    """What is held of one profile: its events, and days of compacted ones."""

    profile_id: str
    events: pl.DataFrame  # services.recap.year.history.SCHEMA, oldest first
    days: list[WatchedDay]


class History(Protocol):
    """The histories of profiles."""

    async def held(
        self,
        tenant: str,
        profile_id: str,
        *,
        kinds: tuple[EventKind, ...],
        until_ms: int,
        timeout_s: float,
    ) -> HeldHistory:
        """All of one profile's of these kinds up to a time, or some more; raises a Fault.

        The kinds must be all that a WatchedDay is made of.
        """
        ...
