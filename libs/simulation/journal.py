"""The journal of one profile: numbers its events, sessions and pages, and dates nothing late."""

from dataclasses import dataclass, field

from libs.domain.decision import Decision
from libs.domain.event import Detail, Event, EventKind, Placement
from libs.domain.profile import Profile
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.simulation.logging_policy import POLICY, Slate


@dataclass(slots=True)
class Journal:
    """Events and decisions in time order; whatever is not before `until_ms` is left out.

    Within a session the caller goes forward in time.
    """

    run_id: str
    profile: Profile
    until_ms: int
    events: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    country: str = field(init=False)
    time_zone: str = field(init=False)
    _session_id: str = ""
    _sessions: int = 0
    _sequence: int = 0
    _device: Device = Device.UNSPECIFIED
    _contexts: dict[tuple[Device, Surface], ViewingContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.move(self.profile.country, self.profile.time_zone)

    def move(self, country: str, time_zone: str) -> None:
        """What comes from now on happens there."""
        self.country, self.time_zone = country, time_zone
        self._contexts.clear()

    def open_session(self, device: Device) -> None:
        """Begin the next session."""
        self._session_id = f"{self.run_id}-{self.profile.profile_id}-s{self._sessions:05d}"
        self._sessions += 1
        self._sequence = 0
        self._device = device

    @property
    def session_id(self) -> str:
        """Of the session that is open."""
        return self._session_id

    def record(
        self,
        kind: EventKind,
        at_ms: int,
        surface: Surface,
        title_id: str = "",
        detail: Detail | None = None,
        placement: Placement | None = None,
    ) -> None:
        """Append one event."""
        if at_ms >= self.until_ms:
            return
        self.events.append(
            Event(
                f"{self.run_id}-{self.profile.profile_id}-e{len(self.events):07d}",
                self.profile.profile_id,
                kind,
                at_ms,
                self._sequence,
                self._session_id,
                title_id,
                self._context(surface),
                detail,
                placement,
            )
        )
        self._sequence += 1

    def record_page(self, at_ms: int, title_ids: tuple[str, ...], slate: Slate) -> str:
        """Append the decision behind one home page and return its page_id."""
        page_id = f"{self.run_id}-{self.profile.profile_id}-g{len(self.decisions):06d}"
        if at_ms < self.until_ms:
            self.decisions.append(
                Decision(
                    page_id=page_id,
                    profile_id=self.profile.profile_id,
                    decided_ms=at_ms,
                    policy=POLICY,
                    title_ids=title_ids,
                    propensities=tuple(slate.propensities.tolist()),
                    surface=Surface.HOME,
                )
            )
        return page_id

    def _context(self, surface: Surface) -> ViewingContext:
        context = self._contexts.get((self._device, surface))
        if context is None:
            context = ViewingContext(
                time_zone=self.time_zone,
                device=self._device,
                country=self.country,
                language=self.profile.languages[0] if self.profile.languages else "",
                surface=surface,
                kids=self.profile.kids,
            )
            self._contexts[self._device, surface] = context
        return context
