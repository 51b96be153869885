"""Events as the packed columns of ListHistoryColumns."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from libs.serving.packed import pack_float64, pack_int32, pack_int64
from libs.storage.history_row import HistoryRow
from reprise.events.v1 import events_pb2

_COLUMN_COUNT: Final = 15


def columns_message(rows: Sequence[HistoryRow]) -> events_pb2.ListHistoryColumnsResponse:
    """The columns of `rows` in their order."""
    (
        event_ids,
        sessions,
        titles,
        time_zones,
        kind,
        device,
        thumb,
        occurred_ms,
        sequence,
        recorded_ms,
        from_ms,
        to_ms,
        duration_ms,
        rating_value,
        rating_scale,
    ) = zip(*rows, strict=True) if rows else ((),) * _COLUMN_COUNT
    texts = dict.fromkeys((*sessions, *titles, *time_zones))
    places = {text: place for place, text in enumerate(texts)}.__getitem__

    def small(values: Sequence[int]) -> bytes:
        return pack_int32(np.fromiter(values, np.int32, len(rows)))

    def large(values: Sequence[int]) -> bytes:
        return pack_int64(np.fromiter(values, np.int64, len(rows)))

    def rating(values: Sequence[float | None]) -> bytes:
        return pack_float64(np.array(values, np.float64))

    return events_pb2.ListHistoryColumnsResponse(
        event_ids=event_ids,
        texts=list(texts),
        session=small([*map(places, sessions)]),
        title=small([*map(places, titles)]),
        time_zone=small([*map(places, time_zones)]),
        kind=small(kind),
        device=small(device),
        thumb=small(thumb),
        occurred_ms=large(occurred_ms),
        sequence=large(sequence),
        recorded_ms=large(recorded_ms),
        from_ms=large(from_ms),
        to_ms=large(to_ms),
        duration_ms=large(duration_ms),
        rating_value=rating(rating_value),
        rating_scale=rating(rating_scale),
    )
