"""EventsService: decode, call, encode."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.decision import Decision
from libs.domain.identifiers import check_country, check_id
from libs.domain.profile import Profile
from libs.features.watched_days import between
from libs.serving.deadlines import deadline_of
from libs.serving.decision_codec import decision
from libs.serving.decoding import page_size, timestamp
from libs.serving.identity import tenant_of
from libs.serving.profile_codec import profile, profile_message
from libs.storage.history_row import order
from libs.storage.recorded import Recorded
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.batch_codec import Batch, decode_batch, decode_each, rejection_messages
from services.events.columns_codec import columns_message
from services.events.days_codec import day_of, page, place_of
from services.events.events_codec import decode_events, event_messages
from services.events.features_codec import profile_features_message, title_features_message
from services.events.group_commit import GroupCommit
from services.events.history_codec import as_of_ms, history_query
from services.events.history_page import token_after
from services.events.personal_records import PersonalRecords
from services.events.ports import EventStore
from services.events.receipt_codec import receipt
from services.events.retraining import RetrainingOf

Context = grpc.aio.ServicerContext[Any, Any]
MessageT = TypeVar("MessageT")
ValueT = TypeVar("ValueT")
ResultT = TypeVar("ResultT")

# Decoding takes about 10 µs an event or a profile, and 40 to 200 µs a decision of 20 to 500 titles;
# more than about 2 ms leaves the event loop.
_MOST_DECODED_INLINE: Final = 200
_MOST_DECISIONS_DECODED_INLINE: Final = 10


class EventsServicer(events_pb2_grpc.EventsServiceServicer):
    """The write path of the suite, and reads of what it wrote; `clock` gives Unix ms."""

    def __init__(
        self,
        store: EventStore,
        commits: GroupCommit,
        clock: Callable[[], int],
        *,
        records: PersonalRecords,
        retraining_of: RetrainingOf,
    ) -> None:
        self._store = store
        self._commits = commits
        self._records = records
        self._retraining_of = retraining_of
        self._clock = clock
        # Work of more than a few ms. Replaying the log takes seconds, so the rest does not queue
        # behind it.
        self._work = ThreadPoolExecutor(2, thread_name_prefix="work")
        self._replays = ThreadPoolExecutor(1, thread_name_prefix="replay")

    async def close(self) -> None:
        """Commit what waits and stop the threads; the store may be closed after."""
        await self._commits.close()
        self._work.shutdown()
        self._replays.shutdown()

    async def RecordEvents(  # noqa: N802 - the names are the contract's
        self, request: events_pb2.RecordEventsRequest, context: Context
    ) -> events_pb2.RecordEventsResponse:
        """Append a batch."""
        recorded = await self._record(tenant_of(context), request.events)
        return events_pb2.RecordEventsResponse(
            recorded_count=recorded.recorded_count,
            duplicate_count=recorded.duplicate_count,
            duplicate_indexes=recorded.duplicate_indexes,
            rejections=rejection_messages(recorded),
            late_indexes=recorded.late_indexes,
        )

    async def StreamEvents(  # noqa: N802
        self, request_iterator: AsyncIterator[events_pb2.StreamEventsRequest], context: Context
    ) -> AsyncIterator[events_pb2.StreamEventsResponse]:
        """Append many batches; each is acknowledged before the next is taken."""
        tenant, index = tenant_of(context), 0
        recorded_total = duplicate_total = rejected_total = 0
        async for request in request_iterator:
            recorded = await self._record(tenant, request.events)
            recorded_total += recorded.recorded_count
            duplicate_total += recorded.duplicate_count
            rejected_total += len(recorded.rejections)
            yield events_pb2.StreamEventsResponse(
                batch_index=index,
                recorded_count=recorded.recorded_count,
                duplicate_count=recorded.duplicate_count,
                duplicate_indexes=recorded.duplicate_indexes,
                rejections=rejection_messages(recorded),
                late_indexes=() if request.backfill else recorded.late_indexes,
                total_recorded_count=recorded_total,
                total_duplicate_count=duplicate_total,
                total_rejected_count=rejected_total,
            )
            index += 1

    async def _record(self, tenant: str, messages: Sequence[events_pb2.Event]) -> Recorded:
        batch = await self._decoded(messages, decode_events, inline=_MOST_DECODED_INLINE)
        now_ms = self._clock()
        return await self._commit(
            batch, lambda: self._store.record_events(tenant, batch.values, now_ms)
        )

    async def _commit(self, batch: Batch[Any], write: Callable[[], Recorded]) -> Recorded:
        """What became of the whole batch, once that is durable."""
        if not batch.values:
            return batch.whole(Recorded(0))
        return batch.whole(await self._commits.run(len(batch.values), write))

    async def _decoded(
        self,
        messages: Sequence[MessageT],
        decode: Callable[[Sequence[MessageT]], ValueT],
        *,
        inline: int,
    ) -> ValueT:
        if len(messages) <= inline:
            return decode(messages)
        return await self._on(self._work, lambda: decode(messages))

    async def RecordDecisions(  # noqa: N802
        self, request: events_pb2.RecordDecisionsRequest, context: Context
    ) -> events_pb2.RecordDecisionsResponse:
        """Store what ranking answered."""
        tenant, now_ms = tenant_of(context), self._clock()
        batch = await self._decoded(
            request.decisions, _decode_decisions, inline=_MOST_DECISIONS_DECODED_INLINE
        )
        recorded = await self._commit(
            batch, lambda: self._store.record_decisions(tenant, batch.values, now_ms)
        )
        return events_pb2.RecordDecisionsResponse(
            recorded_count=recorded.recorded_count,
            duplicate_indexes=recorded.duplicate_indexes,
            rejections=rejection_messages(recorded),
        )

    async def ListHistory(  # noqa: N802
        self, request: events_pb2.ListHistoryRequest, context: Context
    ) -> events_pb2.ListHistoryResponse:
        """Page through a profile's events."""
        tenant = tenant_of(context)
        query = history_query(request, now_ms=self._clock(), default=100, most=1_000)

        def answer() -> events_pb2.ListHistoryResponse:
            # One more than asked for tells whether there is an older page.
            events = self._store.history(
                tenant,
                query.profile_id,
                most=query.most + 1,
                before=query.before,
                title_id=request.title_id,
                kinds=query.kinds,
                as_of_ms=query.as_of_ms,
            )
            page = events[: query.most]
            return events_pb2.ListHistoryResponse(
                events=event_messages(page),
                next_page_token=token_after(page[-1].order) if len(events) > query.most else "",
                compacted_until=self._compacted_until(tenant),
            )

        return await self._on(self._work, answer)

    async def ListHistoryColumns(  # noqa: N802
        self, request: events_pb2.ListHistoryColumnsRequest, context: Context
    ) -> events_pb2.ListHistoryColumnsResponse:
        """Page through a profile's events as columns."""
        tenant = tenant_of(context)
        query = history_query(request, now_ms=self._clock(), default=5_000, most=5_000)

        def answer() -> events_pb2.ListHistoryColumnsResponse:
            rows = self._store.history_rows(
                tenant,
                query.profile_id,
                most=query.most + 1,
                before=query.before,
                kinds=query.kinds,
                as_of_ms=query.as_of_ms,
            )
            page = rows[: query.most]
            message = columns_message(page)
            if len(rows) > query.most:
                message.next_page_token = token_after(order(page[-1]))
            if (until := self._compacted_until(tenant)) is not None:
                message.compacted_until.CopyFrom(until)
            return message

        return await self._on(self._work, answer)

    def _compacted_until(self, tenant: str) -> Timestamp | None:
        """Until when events may lack; read after them, so that it is not less than what they do."""
        until_ms = self._store.compacted_until_ms(tenant)
        return None if until_ms < 0 else timestamp(until_ms)

    async def ListWatchedDays(  # noqa: N802
        self, request: events_pb2.ListWatchedDaysRequest, context: Context
    ) -> events_pb2.ListWatchedDaysResponse:
        """Page through what a profile watched, day by day."""
        tenant = tenant_of(context)
        profile_id = check_id("profile_id", request.profile_id)
        most = page_size(request.page_size, "page_size", default=1_000, most=5_000)
        after = place_of(request.page_token)
        first, last = day_of(request.first_day, "first_day"), day_of(request.last_day, "last_day")

        def answer() -> events_pb2.ListWatchedDaysResponse:
            days = self._store.watched_days(tenant, profile_id)
            return page(between(days, first, last), after, most)

        return await self._on(self._work, answer)

    async def GetProfileFeatures(  # noqa: N802
        self, request: events_pb2.GetProfileFeaturesRequest, context: Context
    ) -> events_pb2.GetProfileFeaturesResponse:
        """A profile's features."""
        tenant, now_ms = tenant_of(context), self._clock()
        moment_ms = as_of_ms(request, now_ms)
        profile_id = check_id("profile_id", request.profile_id)

        def answer() -> events_pb2.GetProfileFeaturesResponse:
            stored = self._store.profiles(tenant, [profile_id])
            state = self._store.profile_state(tenant, profile_id, moment_ms)
            return profile_features_message(
                stored[0] if stored else None, state, now_ms if moment_ms is None else moment_ms
            )

        return await self._on(self._work, answer)

    async def GetTitleFeatures(  # noqa: N802
        self, request: events_pb2.GetTitleFeaturesRequest, context: Context
    ) -> events_pb2.GetTitleFeaturesResponse:
        """The counters of all titles."""
        tenant, now_ms = tenant_of(context), self._clock()
        moment_ms = as_of_ms(request, now_ms)
        country = check_country("country", request.country)

        def answer() -> events_pb2.GetTitleFeaturesResponse:
            table = self._store.title_table(tenant, moment_ms, country, now_ms=now_ms)
            return title_features_message(table, country)

        return await self._on(self._replays, answer)

    async def UpsertProfiles(  # noqa: N802
        self, request: events_pb2.UpsertProfilesRequest, context: Context
    ) -> events_pb2.UpsertProfilesResponse:
        """Create or replace profiles."""
        tenant = tenant_of(context)
        profiles = await self._decoded(
            request.profiles, _decode_profiles, inline=_MOST_DECODED_INLINE
        )
        upserted_count = await self._commits.run(
            len(profiles), lambda: self._store.upsert_profiles(tenant, profiles)
        )
        return events_pb2.UpsertProfilesResponse(upserted_count=upserted_count)

    async def GetProfiles(  # noqa: N802
        self, request: events_pb2.GetProfilesRequest, context: Context
    ) -> events_pb2.GetProfilesResponse:
        """The profiles that exist."""
        ids = decode_each(
            request.profile_ids,
            lambda profile_id: check_id("", profile_id),
            "profile_ids",
            most=1_000,
        )
        tenant = tenant_of(context)
        found = await self._on(self._work, lambda: self._store.profiles(tenant, ids))
        return events_pb2.GetProfilesResponse(profiles=[profile_message(value) for value in found])

    async def ExportProfile(  # noqa: N802
        self, request: events_pb2.ExportProfileRequest, context: Context
    ) -> AsyncIterator[events_pb2.ExportProfileResponse]:
        """Everything that is held about a profile."""
        profile_id = check_id("profile_id", request.profile_id)
        exported = self._records.export(tenant_of(context), profile_id)
        async with contextlib.aclosing(exported):
            async for lines in exported:
                yield events_pb2.ExportProfileResponse(json_lines=lines)

    async def EraseProfile(  # noqa: N802
        self, request: events_pb2.EraseProfileRequest, context: Context
    ) -> events_pb2.EraseProfileResponse:
        """Forget a profile, here and everywhere."""
        tenant, profile_id = tenant_of(context), check_id("profile_id", request.profile_id)
        left_s = deadline_of(context).remaining_s()
        erasure = await self._records.erase(tenant, profile_id, time_left_s=left_s)
        retraining = await self._on(self._work, lambda: self._retraining_of(tenant, erasure))
        return receipt(erasure, retraining)

    async def _on(self, threads: ThreadPoolExecutor, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(threads, work)


def _decode_decisions(messages: Sequence[events_pb2.Decision]) -> Batch[Decision]:
    return decode_batch(messages, decision, "decisions", most=1_000)


def _decode_profiles(messages: Sequence[events_pb2.Profile]) -> list[Profile]:
    return decode_each(messages, profile, "profiles", most=5_000)
