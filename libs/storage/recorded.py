"""What becomes of each item of a batch: accepted, duplicate or rejected, by one judge."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event, WatchedInterval
from libs.domain.profile import Profile
from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import InvalidField

ItemT = TypeVar("ItemT", Event, Decision)

# Decisions live so long: the decision behind an impression that comes later may be gone.
LATE_MS: Final = 30 * DAY_MS

# Players round to whole seconds, and know the duration no better.
ROUNDING_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch; indexes are places in it, ascending.

    What is neither a duplicate nor rejected was new, and `recorded_count` is how many were.
    `late_indexes` is which of those occurred more than LATE_MS before they came.
    """

    recorded_count: int
    duplicate_indexes: tuple[int, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    late_indexes: tuple[int, ...] = ()

    @property
    def duplicate_count(self) -> int:
        """How many were there before, or came twice in the batch."""
        return len(self.duplicate_indexes)

    def at(self, places: Sequence[int], rejections: Iterable[Rejection]) -> "Recorded":
        """The same for the batch that this one was chosen from.

        The item i of this one is at `places`[i] there, `rejections` are of those left out.
        """
        own = [
            Rejection(places[one.index], one.reason, one.field, one.problem)
            for one in self.rejections
        ]
        return Recorded(
            self.recorded_count,
            tuple([places[index] for index in self.duplicate_indexes]),
            tuple(sorted([*own, *rejections], key=lambda one: one.index)),
            tuple([places[index] for index in self.late_indexes]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sifted(Generic[ItemT]):
    """What of a batch is new and goes into the store, and what the caller is told then."""

    new: list[ItemT]
    recorded: Recorded


def claimed_profile_ids(events: Iterable[Event]) -> set[str]:
    """The profiles whose accounts are to be looked up: those that events name one for."""
    return {event.profile_id for event in events if event.account_id}


def sift_events(
    events: Sequence[Event],
    *,
    known_ids: Collection[str],
    accounts: Mapping[str, str],
    erased_ids: Collection[str],
    now_ms: int,
) -> Sifted[Event]:
    """Judge a batch: `known_ids` are recorded already, `accounts` is by stored profile.

    `erased_ids` are the profiles of which nothing is taken any more.

    A duplicate is one whatever else it is, so that trying again gives the same answer.
    """
    new: list[Event] = []
    duplicates: list[int] = []
    rejections: list[Rejection] = []
    late: list[int] = []
    ids = set(known_ids)
    for place, event in enumerate(events):
        if event.event_id in ids:
            duplicates.append(place)
            continue
        if event.profile_id in erased_ids:
            rejections.append(_erased(place))
            continue
        rejection = _rejection(place, event, accounts, now_ms)
        if rejection is not None:
            rejections.append(rejection)
            continue
        ids.add(event.event_id)
        new.append(event)
        if event.occurred_ms < now_ms - LATE_MS:
            late.append(place)
    recorded = Recorded(len(new), tuple(duplicates), tuple(rejections), tuple(late))
    return Sifted(new, recorded)


def _rejection(
    place: int, event: Event, accounts: Mapping[str, str], now_ms: int
) -> Rejection | None:
    if event.occurred_ms > now_ms + DAY_MS:
        return _ahead(place, "occurred_at")
    watched = event.detail
    if type(watched) is WatchedInterval:
        end_ms = watched.duration_ms + ROUNDING_MS
        if watched.to_ms > end_ms or watched.from_ms > end_ms:
            field = "watched.to_ms" if watched.to_ms > end_ms else "watched.from_ms"
            return Rejection(
                place,
                RejectionReason.PAST_THE_END,
                field,
                f"must be at most duration_ms, {watched.duration_ms}, and a second of rounding",
            )
    if event.account_id and accounts.get(event.profile_id, "") not in ("", event.account_id):
        # Whose it is stays untold: the caller may be no friend of either account.
        return Rejection(
            place,
            RejectionReason.FOREIGN_PROFILE,
            "account_id",
            "must be the account of the profile",
        )
    return None


def sift_decisions(
    decisions: Sequence[Decision],
    *,
    known_ids: Collection[str],
    erased_ids: Collection[str],
    now_ms: int,
) -> Sifted[Decision]:
    """Judge a batch of decisions; `known_ids` are the page_ids that are stored.

    `erased_ids` are the profiles of which nothing is taken any more.
    """
    new: list[Decision] = []
    duplicates: list[int] = []
    rejections: list[Rejection] = []
    ids = set(known_ids)
    for place, decision in enumerate(decisions):
        if decision.page_id in ids:
            duplicates.append(place)
        elif decision.profile_id in erased_ids:
            rejections.append(_erased(place))
        elif decision.decided_ms > now_ms + DAY_MS:
            rejections.append(_ahead(place, "decided_at"))
        else:
            ids.add(decision.page_id)
            new.append(decision)
    return Sifted(new, Recorded(len(new), tuple(duplicates), tuple(rejections)))


def check_not_erased(profiles: Sequence[Profile], erased_ids: Collection[str]) -> None:
    """Raise InvalidField for a profile that was erased: its id is never used again."""
    for place, profile in enumerate(profiles):
        if profile.profile_id in erased_ids:
            raise InvalidField(f"profiles[{place}].profile_id", _ERASED)


_ERASED: Final = "was erased; its id is never used again"


def _erased(place: int) -> Rejection:
    return Rejection(place, RejectionReason.ERASED_PROFILE, "profile_id", _ERASED)


def _ahead(place: int, field: str) -> Rejection:
    return Rejection(place, RejectionReason.AHEAD, field, "must be at most a day ahead")
