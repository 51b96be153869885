"""Exports made in a test: events of a log's shape without a log, and catalogues for them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from libs.domain.event import Event, EventKind, Recording, WatchedInterval
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.features.watched_days import WatchedDay
from libs.storage.event_row import encode
from libs.storage.parquet_export import Export, export_log


class MadeLog:
    """The LogReader of these events, all of them recorded when they occurred."""

    def __init__(
        self,
        events: Iterable[Event],
        profiles: Sequence[Profile] = (),
        days: Mapping[str, list[WatchedDay]] = MappingProxyType({}),
    ) -> None:
        self._days = days
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._profiles = list(profiles)
        for event in sorted(events, key=lambda event: event.order):
            row = encode(event, None, event.occurred_ms)[:32]
            self._rows.setdefault(event.profile_id, []).append(row)

    def watermark(self) -> int:
        return 1

    def profile_ids(self, tenant: str) -> list[str]:
        return sorted(self._rows.keys() | self._days.keys())

    def held_of(
        self, tenant: str, profile_id: str, *, watermark: int
    ) -> tuple[list[tuple[object, ...]], list[WatchedDay]]:
        return self._rows.get(profile_id, []), self._days.get(profile_id, [])

    def profiles(self, tenant: str) -> list[Profile]:
        return self._profiles


def made_export(
    out: Path,
    events: Iterable[Event],
    *,
    cutoff_ms: int,
    profiles: Sequence[Profile] = (),
    partitions: int = 2,
    days: Mapping[str, list[WatchedDay]] = MappingProxyType({}),
) -> Export:
    """An export of these events as of `cutoff_ms`."""
    log = MadeLog(events, profiles, days)
    return export_log(
        log,  # type: ignore[arg-type]  # all of a LogReader that an export asks for
        DEFAULT_TENANT,
        out,
        partition_count=partitions,
        now_ms=cutoff_ms,
        on_progress=lambda done, total: None,
    )


def play(
    event_id: str,
    at_ms: int,
    title_id: str,
    minutes: float,
    *,
    profile_id: str = "p",
    time_zone: str = "",
    is_complete: bool = False,
) -> list[Event]:
    """A PLAY at a time and, so many minutes later, its STOP or COMPLETE; of two hours."""
    length_ms = round(minutes * 60_000)
    context = ViewingContext(time_zone=time_zone)

    def event(ending: str, kind: EventKind, when_ms: int, to_ms: int) -> Event:
        return Event(
            event_id + ending,
            profile_id,
            kind,
            when_ms,
            title_id=title_id,
            context=context,
            detail=WatchedInterval(0, to_ms, 7_200_000),
            recording=Recording(when_ms, 2),
        )

    end = EventKind.COMPLETE if is_complete else EventKind.STOP
    return [event("-a", EventKind.PLAY, at_ms, 0), event("-b", end, at_ms + length_ms, length_ms)]
