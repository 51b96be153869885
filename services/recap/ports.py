"""What the recap service needs of others."""

from typing import Protocol

from libs.domain.event import Event, EventKind


class History(Protocol):
    """The events of profiles."""

    async def events(
        self,
        tenant: str,
        profile_id: str,
        *,
        kinds: tuple[EventKind, ...],
        until_ms: int,
        timeout_s: float,
    ) -> list[Event]:
        """All of one profile's of these kinds up to a time, in no order; raises a Fault."""
        ...
