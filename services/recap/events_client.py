"""The events service as recap uses it: histories."""

import datetime as dt
import operator
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import grpc.aio
import polars as pl

from libs.domain.event import DAY_MS, EventKind
from libs.faults import DeadlineSpent
from libs.features.watched_days import WatchedDay, day_number, watched_days
from libs.serving.channels import call
from libs.serving.decoding import time_ms, timestamp
from libs.serving.identity import NO_CREDENTIALS, Credentials
from libs.serving.waiting import on_thread
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.recap.history_columns import HistoryPage
from services.recap.ports import HeldHistory

_PART: Final = "events"
# So long after the last compacted moment days are asked for: to the end of the next one, anywhere.
_DAYS_TOLD_MS: Final = 3 * DAY_MS


class EventsClient:
    """One channel to the events service."""

    def __init__(
        self, channel: grpc.aio.Channel, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._credentials = credentials
        self._stub = events_pb2_grpc.EventsServiceStub(channel)

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

        Days are told of all events, so what is left without those that are there is compacted.
        """
        end_s = time.monotonic() + timeout_s
        request = events_pb2.ListHistoryColumnsRequest(
            profile_id=profile_id,
            kinds=[events_pb2.EventKind.ValueType(kind) for kind in kinds],
            as_of=timestamp(until_ms),
        )
        pages, compacted_ms = await self._pages(tenant, request, end_s)
        if compacted_ms and until_ms < compacted_ms + _DAYS_TOLD_MS:
            # Days are told whole: what happened on them after that time has to go from them too.
            request.ClearField("as_of")
            pages, compacted_ms = await self._pages(tenant, request, end_s)
        days = await self._days(tenant, profile_id, compacted_ms, end_s) if compacted_ms else []
        return await on_thread(_held, profile_id, pages, days)

    async def _pages(
        self, tenant: str, request: events_pb2.ListHistoryColumnsRequest, end_s: float
    ) -> tuple[list[HistoryPage], int]:
        """All pages, newest first, and up to when events may be missing; 0 is none."""
        pages: list[HistoryPage] = []
        compacted_ms = 0
        while True:
            answer = await self._ask(tenant, self._stub.ListHistoryColumns, request, end_s)
            pages.append(HistoryPage.of(request.profile_id, answer))
            if answer.HasField("compacted_until"):
                compacted_ms = time_ms(answer.compacted_until, "compacted_until")
            request.page_token = answer.next_page_token
            if not request.page_token:
                return pages, compacted_ms

    async def _days(
        self, tenant: str, profile_id: str, until_ms: int, end_s: float
    ) -> list[WatchedDay]:
        # Somewhere on earth it is already the next day.
        last = dt.datetime.fromtimestamp(until_ms / 1000, dt.UTC).date() + dt.timedelta(1)
        request = events_pb2.ListWatchedDaysRequest(
            profile_id=profile_id, last_day=last.isoformat()
        )
        found: list[WatchedDay] = []
        while True:
            answer = await self._ask(tenant, self._stub.ListWatchedDays, request, end_s)
            found += [_day(message) for message in answer.days]
            request.page_token = answer.next_page_token
            if not request.page_token:
                return found

    async def _ask(self, tenant: str, method: Any, request: Any, end_s: float) -> Any:
        left_s = end_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineSpent(_PART)
        return await call(
            _PART,
            method,
            request,
            timeout_s=left_s,
            metadata=self._credentials.metadata(tenant),
        )


def without(days: Iterable[WatchedDay], others: Iterable[WatchedDay]) -> list[WatchedDay]:
    """What `days` say beyond `others`, which are days of some of the same events."""
    known = {(one.day, one.title_id): one for one in others}
    found = []
    for day in days:
        other = known.get((day.day, day.title_id))
        left = day if other is None else _less(day, other)
        if left.play_count or left.complete_count or left.watched_ms or left.rating_count:
            found.append(left)
    return found


def _less(day: WatchedDay, other: WatchedDay) -> WatchedDay:
    return replace(
        day,
        play_count=day.play_count - other.play_count,
        rewatch_count=day.rewatch_count - other.rewatch_count,
        complete_count=day.complete_count - other.complete_count,
        rating_count=day.rating_count - other.rating_count,
        watched_ms=day.watched_ms - other.watched_ms,
        hours_ms=tuple(map(operator.sub, day.hours_ms, other.hours_ms)),
    )


def _day(message: events_pb2.WatchedDay) -> WatchedDay:
    return WatchedDay(
        title_id=message.title_id,
        day=day_number(dt.date.fromisoformat(message.day)),
        play_count=message.play_count,
        rewatch_count=message.rewatch_count,
        complete_count=message.complete_count,
        rating_count=message.rating_count,
        watched_ms=message.watched_ms,
        hours_ms=tuple(message.hours_ms),
        duration_ms=message.duration_ms,
        first_ms=time_ms(message.first_at, "first_at"),
        last_ms=time_ms(message.last_at, "last_at"),
        time_zone=message.time_zone,
    )


def _held(profile_id: str, pages: list[HistoryPage], days: list[WatchedDay]) -> HeldHistory:
    frame = pl.concat([page.frame() for page in reversed(pages)])
    if days:
        days = without(days, watched_days(event for page in pages for event in page.events()))
    return HeldHistory(profile_id, frame, days)
