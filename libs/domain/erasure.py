"""Erasures: what became of a wish to be forgotten."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ServiceErasure:
    """What another service has said: how much it erased, or why it could not yet."""

    service: str
    is_complete: bool = False
    erased_count: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One profile's erasure: what events held at `erased_ms`, and how far the others are.

    `oldest_event_ms` is None where no event was recorded. `is_removed` is whether events has
    nothing left of what it held; nobody can read it before, either.
    """

    erased_ms: int
    event_count: int
    decision_count: int
    title_count: int
    had_profile: bool
    oldest_event_ms: int | None
    services: tuple[ServiceErasure, ...]
    is_removed: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left here, and every service has confirmed."""
        return self.is_removed and all(service.is_complete for service in self.services)

    def confirmed(self, answer: ServiceErasure) -> "Erasure":
        """The same with what a service has answered; one that was complete stays so."""
        services = tuple(
            answer if one.service == answer.service and not one.is_complete else one
            for one in self.services
        )
        return replace(self, services=services)
