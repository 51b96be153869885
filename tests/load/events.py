"""What viewers do, in the batches in which their clients send it, and as an import."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from libs.domain.event import Event
from libs.simulation.world import World
from services.events.events_codec import event_message
from tests.load.shot import SECONDS, Shot, request

SERVICE: Final = "reprise.events.v1.EventsService"
PROFILES: Final = 40
BATCH: Final = 20
STREAM: Final = 500


def shots(world: World) -> Sequence[Shot]:
    """Batches by clients, batches at a fixed rate, streams of an importer, reads."""
    events = [event for history in islice(world.histories(), PROFILES) for event in history.events]
    batches = [{"events": _new(events[at : at + BATCH])} for at in range(0, len(events), BATCH)]
    streams = [
        [{"events": _new(events[at : at + STREAM]), "backfill": True}]
        for at in range(0, len(events), STREAM)
    ]
    profiles = [{"profile_id": profile.profile_id} for profile in world.profiles]
    return (
        Shot(f"{SERVICE}/RecordEvents", batches, {"total": 2_000, "concurrency": 16}),
        Shot(f"{SERVICE}/RecordEvents", batches, {"duration_s": SECONDS, "rate": 100.0}),
        Shot(f"{SERVICE}/StreamEvents", streams, {"total": 60, "concurrency": 4}),
        Shot(f"{SERVICE}/GetProfileFeatures", profiles, {"duration_s": SECONDS, "concurrency": 8}),
    )


def _new(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The events with ids of their own in every request, or all but the first would be repeats."""
    return [{**request(event_message(event)), "event_id": "{{uuid}}"} for event in events]
