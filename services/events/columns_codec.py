"""Events as the packed columns of ListHistoryColumns."""

import math
from collections.abc import Sequence

import numpy as np

from libs.domain.event import Event, Rating, Thumb, WatchedInterval
from libs.serving.packed import pack_float64, pack_int32, pack_int64
from reprise.events.v1 import events_pb2

_NO_INTERVAL = (-1, -1, -1)
_NO_RATING = (math.nan, math.nan)


def columns_message(events: Sequence[Event]) -> events_pb2.ListHistoryColumnsResponse:
    """The columns of `events` in their order."""
    places: dict[str, int] = {}
    small, large, ratings = [], [], []
    for event in events:
        detail, recording = event.detail, event.recording
        small.append(
            (
                places.setdefault(event.session_id, len(places)),
                places.setdefault(event.title_id, len(places)),
                places.setdefault(event.context.time_zone, len(places)),
                event.kind.value,
                event.context.device.value,
                detail.direction.value if isinstance(detail, Thumb) else 0,
            )
        )
        large.append(
            (
                event.occurred_ms,
                event.sequence,
                recording.recorded_ms if recording else 0,
                *(
                    (detail.from_ms, detail.to_ms, detail.duration_ms)
                    if isinstance(detail, WatchedInterval)
                    else _NO_INTERVAL
                ),
            )
        )
        ratings.append((detail.value, detail.scale) if isinstance(detail, Rating) else _NO_RATING)
    n = len(events)
    session, title, time_zone, kind, device, thumb = (
        pack_int32(column) for column in np.array(small, np.int32).reshape(n, 6).T
    )
    occurred, sequence, recorded, from_ms, to_ms, duration = (
        pack_int64(column) for column in np.array(large, np.int64).reshape(n, 6).T
    )
    value, scale = (pack_float64(column) for column in np.array(ratings).reshape(n, 2).T)
    return events_pb2.ListHistoryColumnsResponse(
        event_ids=[event.event_id for event in events],
        texts=list(places),
        session=session,
        title=title,
        time_zone=time_zone,
        kind=kind,
        device=device,
        thumb=thumb,
        occurred_ms=occurred,
        sequence=sequence,
        recorded_ms=recorded,
        from_ms=from_ms,
        to_ms=to_ms,
        duration_ms=duration,
        rating_value=value,
        rating_scale=scale,
    )
