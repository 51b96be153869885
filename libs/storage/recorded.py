"""What became of a batch of events, and of which times a batch may be."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event
from libs.faults import InvalidField


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many events of a batch were new, and how many were known or came twice."""

    recorded_count: int
    duplicate_count: int


def check_times(events: Sequence[Event], now_ms: int) -> None:
    """Raise InvalidField for the first event that is more than a day ahead of `now_ms`."""
    for place, event in enumerate(events):
        if event.occurred_ms > now_ms + DAY_MS:
            raise InvalidField(f"events[{place}].occurred_at", "must be at most a day ahead")


def check_decision_times(decisions: Sequence[Decision], now_ms: int) -> None:
    """Raise InvalidField for the first decision that is more than a day ahead of `now_ms`."""
    for place, decision in enumerate(decisions):
        if decision.decided_ms > now_ms + DAY_MS:
            raise InvalidField(f"decisions[{place}].decided_at", "must be at most a day ahead")
