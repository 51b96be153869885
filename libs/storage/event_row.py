"""Between an event and its row in the log: a column for every field, rare details as JSON."""

import functools
import json
from typing import Any, Final

from libs.domain.event import (
    EVENT_SCHEMA_VERSION,
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
)
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.features.daypart import event_daypart
from libs.features.engagement import engagement, opinion
from libs.storage.quiz_answer_values import quiz_answer_of, quiz_answer_values

# What makes an event, in the order of `encode` and `decode`.
EVENT_COLUMNS: Final = (
    "event_id, profile_id, session_id, kind, occurred_ms, sequence, title_id,"
    " time_zone, device, country, language, surface, kids, geo_cell,"
    " page_id, row_index, position, policy, propensity, model_version, index_version, arm,"
    " from_ms, to_ms, duration_ms, rating_value, rating_scale, thumb, is_listed, detail,"
    " recorded_ms, schema_version"
)
# What the event weighs by the feature schema, stored beside it so that counters of past times
# are summed from numbers; in the order of `weights`.
WEIGHT_COLUMNS: Final = "engagement, opinion, daypart"
COLUMN_COUNT: Final = EVENT_COLUMNS.count(",") + 1 + WEIGHT_COLUMNS.count(",") + 1

Row = tuple[Any, ...]

_NO_PLACEMENT: Final = ("", None, None)
_NO_ATTRIBUTION: Final = (None, None, None, None, None)
_NO_DETAIL: Final = (None,) * 8


def encode(event: Event, attribution: Attribution | None, recorded_ms: int) -> Row:
    """The row of EVENT_COLUMNS and WEIGHT_COLUMNS; `attribution` is what a decision says of it."""
    placement, context = event.placement, event.context
    return (
        event.event_id,
        event.profile_id,
        event.session_id,
        event.kind.value,
        event.occurred_ms,
        event.sequence,
        event.title_id,
        context.time_zone,
        context.device.value,
        context.country,
        context.language,
        context.surface.value,
        context.kids,
        context.geo_cell,
        *(
            (placement.page_id, placement.row_index, placement.position)
            if placement
            else _NO_PLACEMENT
        ),
        *(
            (
                attribution.policy,
                attribution.propensity,
                attribution.model_version,
                attribution.index_version,
                attribution.arm,
            )
            if attribution
            else _NO_ATTRIBUTION
        ),
        *(_NO_DETAIL if event.detail is None else _encode_detail(event.detail)),
        recorded_ms,
        EVENT_SCHEMA_VERSION,
        engagement(event),
        opinion(event),
        event_daypart(event),
    )


def decode(row: Row) -> Event:
    """The event of a row of EVENT_COLUMNS."""
    (
        event_id,
        profile_id,
        session_id,
        kind_number,
        occurred_ms,
        sequence,
        title_id,
        *context,
        page_id,
        row_index,
        position,
        policy,
        propensity,
        model_version,
        index_version,
        arm,
    ) = row[:22]
    kind = _KINDS[kind_number]
    return Event(
        event_id=event_id,
        profile_id=profile_id,
        kind=kind,
        occurred_ms=occurred_ms,
        sequence=sequence,
        session_id=session_id,
        title_id=title_id,
        context=_context(*context),
        detail=_decode_detail(kind, row),
        placement=Placement(page_id, row_index, position) if page_id else None,
        attribution=(
            None
            if propensity is None
            else Attribution(policy, propensity, model_version, index_version or "", arm or "")
        ),
        # Version 1 noted neither of the two, nor the index version and the arm above.
        recording=Recording(row[30] or 0, row[31] or 1),
    )


_KINDS: Final = {kind.value: kind for kind in EventKind}


@functools.lru_cache(maxsize=4096)
def _context(
    time_zone: str,
    device: int,
    country: str,
    language: str,
    surface: int,
    kids: int,
    geo_cell: str,
) -> ViewingContext:
    return ViewingContext(
        time_zone, Device(device), country, language, Surface(surface), bool(kids), geo_cell
    )


def _encode_detail(detail: Detail) -> Row:
    """from_ms to detail: eight values, most of them NULL."""
    match detail:
        case WatchedInterval(from_ms=from_ms, to_ms=to_ms, duration_ms=duration_ms):
            return (from_ms, to_ms, duration_ms, None, None, None, None, None)
        case Rating(value=value, scale=scale):
            return (None, None, None, value, scale, None, None, None)
        case Thumb(direction=direction):
            return (None, None, None, None, None, direction.value, None, None)
        case MyListChange(is_listed=is_listed):
            return (None, None, None, None, None, None, is_listed, None)
        case Search(query=query, result_count=result_count):
            return (*_NO_DETAIL[:7], json.dumps([query, result_count]))
        case RowScroll(direction=direction, row_id=row_id, visible_ms=visible_ms):
            return (*_NO_DETAIL[:7], json.dumps([direction.value, row_id, visible_ms]))
        case Dwell(dwell_ms=dwell_ms):
            return (*_NO_DETAIL[:7], json.dumps([dwell_ms]))
        case QuizAnswer() as answer:
            return (*_NO_DETAIL[:7], json.dumps(quiz_answer_values(answer)))
        case Prompt(prompt_id=prompt_id):
            return (*_NO_DETAIL[:7], json.dumps([prompt_id]))


def _decode_detail(kind: EventKind, row: Row) -> Detail | None:
    from_ms, to_ms, duration_ms, rating_value, rating_scale, thumb, is_listed, detail = row[22:30]
    if duration_ms is not None:
        return WatchedInterval(from_ms, to_ms, duration_ms)
    if rating_scale is not None:
        return Rating(rating_value, rating_scale)
    if thumb is not None:
        return Thumb(ThumbDirection(thumb))
    if is_listed is not None:
        return MyListChange(bool(is_listed))
    return None if detail is None else _rare_detail(kind, json.loads(detail))


def _rare_detail(kind: EventKind, values: list[Any]) -> Detail:
    match kind:
        case EventKind.SEARCH:
            return Search(*values)
        case EventKind.ROW_SCROLL:
            return RowScroll(ScrollDirection(values[0]), *values[1:])
        case EventKind.DWELL:
            return Dwell(*values)
        case EventKind.QUIZ_ANSWER:
            return quiz_answer_of(values)
        case _:
            return Prompt(*values)
