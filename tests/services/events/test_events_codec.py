import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from libs.domain.event import DAY_MS, Attribution, Event, Recording
from libs.domain.rejection import RejectionReason
from libs.faults import BatchTooLarge, InvalidField
from libs.serving.decoding import timestamp
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2
from services.events.events_codec import (
    _known_context,
    decode_event,
    decode_events,
    event_message,
)
from tests.made_events import START_MS, events, watch


def rating(value: float = 4.0, scale: float = 5.0) -> events_pb2.Event:
    return events_pb2.Event(
        event_id="a",
        profile_id="p",
        title_id="t",
        kind=events_pb2.EVENT_KIND_RATING,
        occurred_at=timestamp(START_MS),
        rating=events_pb2.Rating(value=value, scale=scale),
    )


def changed(**fields: Any) -> Callable[[events_pb2.Event], None]:
    def change(message: events_pb2.Event) -> None:
        for name, value in fields.items():
            setattr(message, name, value)

    return change


@given(events())
def test_an_event_survives_its_message(event: Event) -> None:
    wire = event_message(event).SerializeToString()
    assert decode_event(events_pb2.Event.FromString(wire)) == event


def test_what_a_client_invents_in_a_context_is_not_remembered() -> None:
    message = event_message(watch("a", START_MS, country="PT"))
    unknown = bytes([0xFA, 0x06, 0xFF, 0x7F]) + b"x" * 16_383
    message.context.MergeFromString(unknown)
    assert len(message.context.SerializeToString()) > 16_000
    before = _known_context.cache_info().currsize
    assert decode_event(message).context.country == "PT"
    assert _known_context.cache_info().currsize == before


def test_attribution_and_recording_are_told_and_not_taken() -> None:
    message = event_message(watch("a", START_MS))
    message.attribution.policy = "mine"
    message.recording.schema_version = 9
    taken = decode_event(message)
    assert (taken.attribution, taken.recording) == (None, None)
    said = Event(
        "a", "p", decode_event(rating()).kind, START_MS, title_id="t",
        detail=decode_event(rating()).detail,
        attribution=Attribution("explore", 0.5, "v1", "v2", "b"), recording=Recording(START_MS, 2),
    )  # fmt: skip
    told = event_message(said)
    assert told.attribution == events_pb2.Attribution(
        policy="explore", propensity=0.5, model_version="v1", index_version="v2", arm="b"
    )
    assert told.recording.recorded_at == timestamp(START_MS)
    assert not event_message(replace(said, recording=Recording(0, 1))).recording.HasField(
        "recorded_at"
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (changed(event_id=""), "event_id"),
        (changed(profile_id=""), "profile_id"),
        (changed(profile_id="x" * 129), "profile_id"),
        (changed(title_id=""), "title_id"),
        (changed(title_id="a\nb"), "title_id"),
        (changed(kind=0), "kind"),
        (changed(kind=99), "kind"),
        (changed(sequence=-1), "sequence"),
        (changed(account_id="x" * 129), "account_id"),
        (lambda message: message.ClearField("occurred_at"), "occurred_at"),
        (lambda message: setattr(message.occurred_at, "seconds", -1), "occurred_at"),
        (lambda message: setattr(message.rating, "value", math.nan), "rating.value"),
        (lambda message: setattr(message.rating, "value", 6.0), "rating.value"),
        (lambda message: setattr(message.rating, "scale", math.inf), "rating.scale"),
        (lambda message: setattr(message.context, "device", 77), "context.device"),
        (lambda message: setattr(message.context, "country", "de"), "context.country"),
        (lambda message: setattr(message.context, "time_zone", "Mars"), "context.time_zone"),
        (lambda message: setattr(message.placement, "position", -1), "placement.page_id"),
        (lambda message: setattr(message.thumb, "direction", 1), "detail"),
        (lambda message: setattr(message.thumb, "direction", 9), "thumb.direction"),
        (lambda message: setattr(message.row_scroll, "row_id", "a"), "row_scroll.direction"),
        (lambda message: setattr(message.watched, "from_ms", -1), "watched.from_ms"),
    ],
)
def test_a_bad_field_is_named_with_its_place(
    change: Callable[[events_pb2.Event], None], field: str
) -> None:
    bad = rating()
    change(bad)
    batch = decode_events([rating(), bad, rating()])
    assert batch.places == [0, 2]
    [rejection] = batch.rejections
    assert (rejection.index, rejection.field) == (1, field)
    special = {
        "kind": RejectionReason.UNKNOWN_KIND,
        "detail": RejectionReason.WRONG_DETAIL,
    }
    assert rejection.reason is special.get(field, RejectionReason.INVALID_FIELD)


def test_a_batch_has_bounds() -> None:
    with pytest.raises(InvalidField) as caught:
        decode_events([])
    assert caught.value.field == "events"
    with pytest.raises(BatchTooLarge) as too_large:
        decode_events([rating()] * 5_001)
    limit = {"field": "events", "most": "5000", "given": "5001"}
    assert too_large.value.metadata == limit
    assert len(decode_events([rating()] * 5_000).values) == 5_000


def test_an_unknown_surface_is_refused_every_time() -> None:
    bad = rating()
    bad.context.surface = viewing_pb2.Surface.ValueType(99)
    for _ in range(2):
        with pytest.raises(InvalidField, match="surface"):
            decode_event(bad)


def test_a_time_ahead_is_the_store_s_to_judge() -> None:
    ahead = rating()
    ahead.occurred_at.CopyFrom(timestamp(START_MS + 9_999 * DAY_MS))
    assert decode_event(ahead).occurred_ms == START_MS + 9_999 * DAY_MS
