from pathlib import Path

from libs.domain.event import DAY_MS, Event, EventKind, WatchedInterval
from libs.domain.viewing import ViewingContext
from libs.serving.channels import call
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS
from tests.made_suite import fill, served


def _played(place: int, title_id: str, minutes: int, day: int) -> list[Event]:
    begun_ms = NOW_MS - day * DAY_MS
    context = ViewingContext(time_zone="Europe/Berlin")
    return [
        Event(
            f"e{place}a",
            "p",
            EventKind.PLAY,
            begun_ms,
            title_id=title_id,
            context=context,
            detail=WatchedInterval(0, 0, 7_200_000),
        ),
        Event(
            f"e{place}b",
            "p",
            EventKind.STOP,
            begun_ms + minutes * 60_000,
            title_id=title_id,
            context=context,
            detail=WatchedInterval(0, minutes * 60_000, 7_200_000),
        ),
    ]


async def test_a_recap_is_counted_on_demand(tmp_path: Path) -> None:
    fill(tmp_path, "default", "t")
    events = [
        event
        for place in range(8)
        for event in _played(place, f"tt{place + 1:02d}", 60 + place, place + 1)
    ]
    async with served(tmp_path) as suite:
        await call(
            "events",
            events_pb2_grpc.EventsServiceStub(suite.events).RecordEvents,
            events_pb2.RecordEventsRequest(events=[event_message(event) for event in events]),
            timeout_s=5,
        )
        answer = await call(
            "recap",
            recap_pb2_grpc.RecapServiceStub(suite.recap).GetRecap,
            recap_pb2.GetRecapRequest(
                profile_id="p", period=recap_pb2.Period(lifetime=True), next_limit=3
            ),
            timeout_s=20,
        )
    assert answer.level == recap_pb2.RECAP_LEVEL_FULL
