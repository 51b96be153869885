"""Streams that break, against a server that takes what it says it has taken."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from cli.event_stream import WINDOW, stream_events
from libs.domain.event import Event
from libs.faults import StartFault
from reprise.events.v1 import events_pb2, events_pb2_grpc
from tests.made_events import START_MS, watch

SERVICE = events_pb2.DESCRIPTOR.services_by_name["EventsService"].full_name
NO_PAUSES = (0.0, 0.0, 0.0)


class Log:
    """Breaks every stream after `breaks_after` batches; one in three is taken unacknowledged."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.breaks_after = 2
        self.code = grpc.StatusCode.UNAVAILABLE
        self.streams = 0
        self.rejects = ""

    def stream(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self.streams += 1
        for place, request in enumerate(requests):
            if place == self.breaks_after:
                if self.streams % 3 == 0:
                    self._take(request)
                context.abort(self.code, "gone")
            yield self._take(request)

    def _take(self, request: events_pb2.StreamEventsRequest) -> events_pb2.StreamEventsResponse:
        known = set(self.ids)
        new = [event.event_id for event in request.events if event.event_id not in known]
        self.ids += new
        rejections = [
            events_pb2.Rejection(index=place, field="title_id", problem="must not be empty")
            for place, event in enumerate(request.events)
            if event.event_id == self.rejects
        ]
        return events_pb2.StreamEventsResponse(
            recorded_count=len(new),
            duplicate_count=len(request.events) - len(new),
            rejections=rejections,
        )


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def stub(log: Log) -> Iterator[events_pb2_grpc.EventsServiceStub]:
    server = grpc.server(ThreadPoolExecutor(4))
    handler = grpc.stream_stream_rpc_method_handler(
        log.stream,
        events_pb2.StreamEventsRequest.FromString,
        events_pb2.StreamEventsResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"StreamEvents": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield events_pb2_grpc.EventsServiceStub(channel)
    server.stop(None).wait()


def batches(count: int) -> list[list[Event]]:
    return [[watch(f"{place}-{one}", START_MS) for one in range(3)] for place in range(count)]


def test_a_stream_that_breaks_again_and_again_loses_nothing_and_sends_nothing_twice_in_vain(
    log: Log, stub: events_pb2_grpc.EventsServiceStub
) -> None:
    sent = batches(20)
    streamed = stream_events(stub, sent, pauses_s=NO_PAUSES)
    assert log.streams >= 10
    assert log.ids == [event.event_id for batch in sent for event in batch]
    # What was taken and not acknowledged comes again, and is known then.
    assert streamed.recorded_count + streamed.duplicate_count == 60
    assert 0 < streamed.duplicate_count <= 3 * (log.streams // 3 + 1)


def test_no_more_is_on_its_way_than_the_window(
    log: Log, stub: events_pb2_grpc.EventsServiceStub
) -> None:
    log.breaks_after = 100
    ahead: list[int] = []

    def source() -> Iterator[list[Event]]:
        for place, batch in enumerate(batches(30)):
            ahead.append(place - len(log.ids) // 3)
            yield batch

    assert stream_events(stub, source()).recorded_count == 90
    assert max(ahead) <= WINDOW


def test_a_server_that_takes_nothing_is_given_up(
    log: Log, stub: events_pb2_grpc.EventsServiceStub
) -> None:
    log.breaks_after = 0
    with pytest.raises(grpc.RpcError):
        stream_events(stub, batches(1), pauses_s=NO_PAUSES)
    assert log.streams == len(NO_PAUSES) + 1


def test_an_error_that_will_not_pass_is_told_at_once(
    log: Log, stub: events_pb2_grpc.EventsServiceStub
) -> None:
    log.breaks_after, log.code = 0, grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError):
        stream_events(stub, batches(1), pauses_s=NO_PAUSES)
    assert log.streams == 1


def test_a_rejected_event_is_a_defect_of_the_sender(
    log: Log, stub: events_pb2_grpc.EventsServiceStub
) -> None:
    log.breaks_after, log.rejects = 100, "1-2"
    with pytest.raises(StartFault, match="rejected 1 of a batch, first title_id: must not"):
        stream_events(stub, batches(3))
