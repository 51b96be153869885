"""Events as rows of plain values: what is counted over whole histories needs no Event of each."""

from typing import Final, TypeAlias

from libs.domain.event import Event, Rating, Thumb, WatchedInterval

# Event id, session id, title id, time zone, kind, device, thumb (0: none), occurred_ms, sequence,
# recorded_ms, from_ms, to_ms, duration_ms (−1: none), rating value and scale.
HistoryRow: TypeAlias = tuple[
    str, str, str, str, int, int, int, int, int, int, int, int, int, float | None, float | None
]
# What an event has of it in the log.
HISTORY_COLUMNS: Final = (
    "event_id, session_id, title_id, time_zone, kind, device, ifnull(thumb, 0), occurred_ms,"
    " sequence, ifnull(recorded_ms, 0), ifnull(from_ms, -1), ifnull(to_ms, -1),"
    " ifnull(duration_ms, -1), rating_value, rating_scale"
)

_NO_INTERVAL: Final = (-1, -1, -1)


def order(row: HistoryRow) -> tuple[int, int, str]:
    """Where the event is in the one order of events."""
    return row[7], row[8], row[0]


def history_row(event: Event) -> HistoryRow:
    """The row of an event."""
    detail = event.detail
    return (
        event.event_id,
        event.session_id,
        event.title_id,
        event.context.time_zone,
        event.kind.value,
        event.context.device.value,
        detail.direction.value if isinstance(detail, Thumb) else 0,
        event.occurred_ms,
        event.sequence,
        event.recording.recorded_ms if event.recording else 0,
        *(
            (detail.from_ms, detail.to_ms, detail.duration_ms)
            if isinstance(detail, WatchedInterval)
            else _NO_INTERVAL
        ),
        *((detail.value, detail.scale) if isinstance(detail, Rating) else (None, None)),
    )
