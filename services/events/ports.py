"""What the events service needs of a store, as one protocol; adapters do not subclass it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from libs.domain.decision import Decision
from libs.domain.erasure import Erasure, ServiceErasure
from libs.domain.event import Event, EventKind
from libs.domain.profile import Profile
from libs.features.profile_state import ProfileState
from libs.features.title_table import TitleTable
from libs.features.watched_days import WatchedDay
from libs.storage.compaction import CompactionStep, Place
from libs.storage.history_row import HistoryRow
from libs.storage.recorded import Recorded


class EventStore(Protocol):
    """Log, decisions, profiles and features.

    Writes come from one thread at a time, reads from any. What a write returned for, outside of
    `transaction` or after it, is durable and visible to every read.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes of the block durable together; inside, each call still fails alone."""
        ...

    def record_events(self, tenant: str, events: Sequence[Event], now_ms: int) -> Recorded:
        """Append what is new and right of a batch, and fold it into the features.

        Each event is judged alone, by `libs.storage.recorded.sift_events`; when this raises,
        nothing of the batch is stored.
        """
        ...

    def record_decisions(self, tenant: str, decisions: Sequence[Decision], now_ms: int) -> Recorded:
        """Store what is new and right of a batch, each page_id once, by `sift_decisions`.

        Those that are kept no longer go, also where the batch is empty.
        """
        ...

    def upsert_profiles(self, tenant: str, profiles: Sequence[Profile]) -> int:
        """Create or replace whole profiles; returns how many distinct ones.

        Raises InvalidField for one that was erased, and then none is written.
        """
        ...

    def erase_profile(
        self, tenant: str, profile_id: str, services: Sequence[str], now_ms: int
    ) -> Erasure:
        """Leave a tombstone and delete what is held of a profile; `services` are to follow.

        From then on nothing is told of it, and events, decisions and profiles of that id are
        refused. Of a large profile some may be left: asked again it goes on, until the erasure
        says `is_removed`. A profile that was erased before stays as it is, and so does its
        erasure.
        """
        ...

    def confirm_erasure(self, tenant: str, profile_id: str, answer: ServiceErasure) -> Erasure:
        """Note what a service has answered; raises NotFound for a profile that was not erased."""
        ...

    def pending_erasures(self) -> list[tuple[str, str]]:
        """(tenant, profile_id) of every erasure that is not complete."""
        ...

    def scrub(self, profile_ids: Collection[str] = ()) -> bool:
        """Overwrite what deleted rows have left behind; False where that has to be tried again.

        `profile_ids` were erased and are to be found nowhere any more. Not in a transaction.
        """
        ...

    def compact(self, until_ms: int, after: Place) -> CompactionStep:
        """Compact some events with occurred_ms ≤ `until_ms`, of profiles behind `after`.

        Features and days stay what they are, sent again the events are duplicates, and history
        tells no more of them. Raises NotSupported.
        """
        ...

    def compacted_until_ms(self, tenant: str) -> int:
        """Up to when events may be compacted, and history lacks some of them; −1 for never."""
        ...

    def watched_days(self, tenant: str, profile_id: str) -> list[WatchedDay]:
        """All days of a profile, compacted or not, by (day, title id)."""
        ...

    def decisions_of(self, tenant: str, profile_id: str) -> list[dict[str, Any]]:
        """The decisions that are kept of a profile, oldest first, each as a JSON object."""
        ...

    def profiles(self, tenant: str, profile_ids: Sequence[str]) -> list[Profile]:
        """Those that exist, in the order asked for."""
        ...

    def history(
        self,
        tenant: str,
        profile_id: str,
        *,
        most: int,
        before: tuple[int, int, str] | None = None,
        title_id: str = "",
        kinds: Collection[EventKind] = (),
        as_of_ms: int | None = None,
    ) -> list[Event]:
        """A profile's newest events before `before` that pass the filters, newest first.

        Raises HistoryCompacted, as the next two do, for an `as_of_ms` before what is compacted.
        """
        ...

    def history_rows(
        self,
        tenant: str,
        profile_id: str,
        *,
        most: int,
        before: tuple[int, int, str] | None = None,
        kinds: Collection[EventKind] = (),
        as_of_ms: int | None = None,
    ) -> list[HistoryRow]:
        """The rows of what `history` tells of the same, in some fifth of the time."""
        ...

    def profile_state(self, tenant: str, profile_id: str, as_of_ms: int | None) -> ProfileState:
        """The features of everything recorded, or of the events at or before `as_of_ms`."""
        ...

    def title_table(
        self, tenant: str, as_of_ms: int | None, country: str, *, now_ms: int
    ) -> TitleTable:
        """Counters of everything recorded at `now_ms`, or of the events at or before `as_of_ms`.

        Those of `country` come with them; "" means none.
        """
        ...
