"""Erasures: what became of a wish to be forgotten."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceErasure:
    """What another service has said: how much it erased, or why it could not yet."""

    service: str
    is_complete: bool = False
    erased_count: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One profile's erasure: what events removed at `erased_ms`, and how far the others are.

    `oldest_event_ms` is None where no event was recorded.
    """

    erased_ms: int
    event_count: int
    decision_count: int
    title_count: int
    had_profile: bool
    oldest_event_ms: int | None
    services: tuple[ServiceErasure, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every service has confirmed."""
        return all(service.is_complete for service in self.services)

    def confirmed(self, answer: ServiceErasure) -> "Erasure":
        """The same with what a service has answered; one that was complete stays so."""
        services = tuple(
            answer if one.service == answer.service and not one.is_complete else one
            for one in self.services
        )
        return Erasure(
            self.erased_ms,
            self.event_count,
            self.decision_count,
            self.title_count,
            self.had_profile,
            self.oldest_event_ms,
            services,
        )
