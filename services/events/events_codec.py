"""Between the messages of events and the domain's values."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from libs.domain.event import (
    MAX_WISHES,
    Attribution,
    Detail,
    Dwell,
    Event,
    EventKind,
    MyListChange,
    Placement,
    Prompt,
    QuizAnswer,
    Rating,
    Recording,
    RowScroll,
    ScrollDirection,
    Search,
    Thumb,
    ThumbDirection,
    WatchedInterval,
    Wish,
)
from libs.domain.viewing import ViewingContext
from libs.faults import InvalidField
from libs.serving.decoding import (
    enum_value,
    time_ms,
    timestamp,
    viewing_context,
    viewing_context_message,
)
from libs.serving.quiz_answer_codec import quiz_answer_message
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2
from services.events.batch_codec import Batch, decode_batch

MAX_EVENTS: Final = 5_000

# More than any context has whose fields are all known.
_MOST_REMEMBERED_BYTES: Final = 512


def decode_events(messages: Sequence[events_pb2.Event]) -> Batch[Event]:
    """The events of one batch; raises InvalidField or BatchTooLarge for the batch as a whole."""
    return decode_batch(messages, decode_event, "events", most=MAX_EVENTS)


def decode_event(message: events_pb2.Event) -> Event:
    """The domain's value; `attribution` and `recording` are read-only and ignored."""
    if not message.HasField("occurred_at"):
        raise InvalidField("occurred_at", "must be given")
    return Event(
        event_id=message.event_id,
        profile_id=message.profile_id,
        session_id=message.session_id,
        kind=enum_value(EventKind, message.kind, "kind"),
        occurred_ms=time_ms(message.occurred_at, "occurred_at"),
        sequence=message.sequence,
        title_id=message.title_id,
        context=_context(message.context),
        detail=_decode_detail(message),
        placement=_decode_placement(message),
        account_id=message.account_id,
    )


def _context(message: viewing_pb2.ViewingContext) -> ViewingContext:
    data = message.SerializeToString()
    # Fields that this release does not know come along, and a client may send megabytes of them.
    known = _known_context if len(data) <= _MOST_REMEMBERED_BYTES else _known_context.__wrapped__
    return known(data)


# The same few contexts come with every event of a session.
@functools.lru_cache(maxsize=4096)
def _known_context(data: bytes) -> ViewingContext:
    return viewing_context(viewing_pb2.ViewingContext.FromString(data), "context")


def _decode_placement(message: events_pb2.Event) -> Placement | None:
    if not message.HasField("placement"):
        return None
    placement = message.placement
    return Placement(placement.page_id, placement.row_index, placement.position)


def _decode_detail(message: events_pb2.Event) -> Detail | None:
    which = message.WhichOneof("detail")
    return None if which is None else _DECODE_DETAIL[which](message)


def _decode_watched(message: events_pb2.Event) -> Detail:
    watched = message.watched
    return WatchedInterval(watched.from_ms, watched.to_ms, watched.duration_ms)


def _decode_thumb(message: events_pb2.Event) -> Detail:
    return Thumb(enum_value(ThumbDirection, message.thumb.direction, "thumb.direction"))


def _decode_row_scroll(message: events_pb2.Event) -> Detail:
    scroll = message.row_scroll
    direction = enum_value(ScrollDirection, scroll.direction, "row_scroll.direction")
    return RowScroll(direction, scroll.row_id, scroll.visible_ms)


def _decode_quiz_answer(message: events_pb2.Event) -> Detail:
    answer = message.quiz_answer
    wishes = tuple([Wish(one.title_id, one.weight) for one in answer.wishes[: MAX_WISHES + 1]])
    return QuizAnswer(answer.quiz_id, answer.question_id, answer.answer_id, wishes)


_DECODE_DETAIL: Final[dict[str, Callable[[events_pb2.Event], Detail]]] = {
    "watched": _decode_watched,
    "thumb": _decode_thumb,
    "rating": lambda message: Rating(message.rating.value, message.rating.scale),
    "my_list": lambda message: MyListChange(message.my_list.is_listed),
    "search": lambda message: Search(message.search.query, message.search.result_count),
    "row_scroll": _decode_row_scroll,
    "dwell": lambda message: Dwell(message.dwell.dwell_ms),
    "quiz_answer": _decode_quiz_answer,
    "prompt": lambda message: Prompt(message.prompt.prompt_id),
}


def event_messages(events: Iterable[Event]) -> list[events_pb2.Event]:
    """The messages of the domain's values."""
    return [event_message(event) for event in events]


def event_message(event: Event) -> events_pb2.Event:
    """The message of the domain's value."""
    message = events_pb2.Event(
        event_id=event.event_id,
        profile_id=event.profile_id,
        session_id=event.session_id,
        kind=events_pb2.EventKind.ValueType(event.kind),
        occurred_at=timestamp(event.occurred_ms),
        sequence=event.sequence,
        title_id=event.title_id,
        context=viewing_context_message(event.context),
        placement=_placement_message(event.placement),
        attribution=_attribution_message(event.attribution),
        account_id=event.account_id,
        recording=_recording_message(event.recording),
    )
    if event.detail is not None:
        _set_detail(message, event.detail)
    return message


def _placement_message(placement: Placement | None) -> events_pb2.Placement | None:
    if placement is None:
        return None
    return events_pb2.Placement(
        page_id=placement.page_id, row_index=placement.row_index, position=placement.position
    )


def _attribution_message(attribution: Attribution | None) -> events_pb2.Attribution | None:
    if attribution is None:
        return None
    return events_pb2.Attribution(
        policy=attribution.policy,
        propensity=attribution.propensity,
        model_version=attribution.model_version,
        index_version=attribution.index_version,
        arm=attribution.arm,
    )


def _recording_message(recording: Recording | None) -> events_pb2.Recording | None:
    if recording is None:
        return None
    return events_pb2.Recording(
        recorded_at=timestamp(recording.recorded_ms) if recording.recorded_ms else None,
        schema_version=recording.schema_version,
    )


def _set_detail(message: events_pb2.Event, detail: Detail) -> None:
    match detail:
        case WatchedInterval(from_ms=from_ms, to_ms=to_ms, duration_ms=duration_ms):
            watched = events_pb2.WatchedInterval(
                from_ms=from_ms, to_ms=to_ms, duration_ms=duration_ms
            )
            message.watched.CopyFrom(watched)
        case Thumb(direction=thumb):
            message.thumb.direction = events_pb2.ThumbDirection.ValueType(thumb)
        case Rating(value=value, scale=scale):
            message.rating.CopyFrom(events_pb2.Rating(value=value, scale=scale))
        case MyListChange(is_listed=is_listed):
            message.my_list.CopyFrom(events_pb2.MyListChange(is_listed=is_listed))
        case Search(query=query, result_count=result_count):
            message.search.CopyFrom(events_pb2.Search(query=query, result_count=result_count))
        case RowScroll(direction=scroll, row_id=row_id, visible_ms=visible_ms):
            direction = events_pb2.ScrollDirection.ValueType(scroll)
            message.row_scroll.CopyFrom(
                events_pb2.RowScroll(direction=direction, row_id=row_id, visible_ms=visible_ms)
            )
        case Dwell(dwell_ms=dwell_ms):
            message.dwell.CopyFrom(events_pb2.Dwell(dwell_ms=dwell_ms))
        case QuizAnswer() as answer:
            message.quiz_answer.CopyFrom(quiz_answer_message(answer))
        case Prompt(prompt_id=prompt_id):
            message.prompt.CopyFrom(events_pb2.Prompt(prompt_id=prompt_id))
