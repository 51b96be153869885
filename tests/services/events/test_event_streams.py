"""Events that come in a stream, acknowledged batch by batch."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from libs.domain.event import DAY_MS
from libs.faults import InvalidField
from libs.serving.status import fault_of
from reprise.events.v1 import events_pb2
from services.events.events_codec import event_message, event_messages
from tests.made_events import START_MS, watch
from tests.services.events.made_service import EVENTS, NOW_MS, Stub, history


async def test_a_stream_is_acknowledged_batch_by_batch(stub: Stub) -> None:
    late = [watch(str(place), START_MS + place) for place in range(700)]
    ahead = watch("ahead", NOW_MS + 2 * DAY_MS)

    async def batches() -> AsyncIterator[events_pb2.StreamEventsRequest]:
        for start in (0, 350):
            events = event_messages(late[start : start + 350])
            yield events_pb2.StreamEventsRequest(events=events, backfill=start == 0)
            yield events_pb2.StreamEventsRequest(events=[*events[:5], event_message(ahead)])

    answers = [answer async for answer in stub.StreamEvents(batches(), timeout=20)]
    assert [answer.batch_index for answer in answers] == [0, 1, 2, 3]
    assert [answer.recorded_count for answer in answers] == [350, 0, 350, 0]
    assert [answer.total_recorded_count for answer in answers] == [350, 350, 700, 700]
    assert [list(answer.duplicate_indexes) for answer in answers] == [[], [*range(5)]] * 2
    assert [len(answer.late_indexes) for answer in answers] == [0, 0, 350, 0]
    assert [one.index for answer in answers for one in answer.rejections] == [5, 5]
    last = answers[-1]
    assert (last.total_duplicate_count, last.total_rejected_count) == (10, 2)


async def test_an_acknowledgement_comes_before_the_next_batch_is_sent(stub: Stub) -> None:
    stream = stub.StreamEvents(timeout=20)
    for place, event in enumerate(EVENTS):
        await stream.write(events_pb2.StreamEventsRequest(events=event_messages([event])))
        answer = await stream.read()
        assert isinstance(answer, events_pb2.StreamEventsResponse)
        assert answer.batch_index == place
        assert len((await history(stub)).events) == place + 1
    await stream.done_writing()


async def test_what_a_broken_stream_had_acknowledged_stays(stub: Stub) -> None:
    async def batches() -> AsyncIterator[events_pb2.StreamEventsRequest]:
        yield events_pb2.StreamEventsRequest(events=event_messages(EVENTS[:1]))
        yield events_pb2.StreamEventsRequest()

    stream = stub.StreamEvents(batches(), timeout=20)
    first = await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    fault = fault_of("events", caught.value)
    assert isinstance(fault, InvalidField)
    assert fault.field == "events"
    assert isinstance(first, events_pb2.StreamEventsResponse)
    assert first.recorded_count == 1
    assert len((await history(stub)).events) == 1
