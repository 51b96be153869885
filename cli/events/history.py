"""`reprise events history`: what one profile did, newest first, as the events service tells it."""

from dataclasses import dataclass
from typing import Final

from rich.markup import escape

from cli.calling import open_channel
from cli.console import Output
from cli.events.event_text import event_table, event_value
from cli.title_names import title_names
from libs.domain.event import Event, EventKind
from libs.serving.decoding import timestamp
from libs.serving.settings import SuiteSettings
from reprise.events.v1 import events_pb2, events_pb2_grpc
from services.events.events_codec import decode_event

CALL_S: Final = 10.0
MOST_ON_A_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Ask:
    """Whose history, and which part of it."""

    profile_id: str
    most: int
    title_id: str = ""
    kinds: tuple[EventKind, ...] = ()
    at_ms: int | None = None


def history(settings: SuiteSettings, ask: Ask, output: Output) -> None:
    """Page through ListHistory and show what it answers."""
    events = read_history(settings, ask)
    names = title_names(settings, (event.title_id for event in events))
    table = event_table(
        events,
        names,
        title=f"The newest {len(events):,} events of {escape(ask.profile_id)}",
        with_profile=False,
    )
    value = {
        "profile_id": ask.profile_id,
        "events": [event_value(event, names) for event in events],
    }
    output.result(value, table)
    if not events:
        output.say("[yellow]Nothing is recorded that fits.[/]")


def read_history(settings: SuiteSettings, ask: Ask) -> list[Event]:
    """At most `ask.most` events, newest first."""
    events: list[Event] = []
    token = ""
    with open_channel(settings, "events") as channel:
        stub = events_pb2_grpc.EventsServiceStub(channel)
        while len(events) < ask.most:
            answer = stub.ListHistory(
                events_pb2.ListHistoryRequest(
                    profile_id=ask.profile_id,
                    page_size=min(ask.most - len(events), MOST_ON_A_PAGE),
                    page_token=token,
                    title_id=ask.title_id,
                    kinds=[events_pb2.EventKind.ValueType(kind) for kind in ask.kinds],
                    as_of=None if ask.at_ms is None else timestamp(ask.at_ms),
                ),
                timeout=CALL_S,
            )
            events += [decode_event(message) for message in answer.events]
            token = answer.next_page_token
            if not token:
                break
    return events
