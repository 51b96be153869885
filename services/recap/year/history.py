"""Histories as a table: what of the log a recap is counted over, for one profile or for many."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from libs.domain.event import Event, EventKind, Rating, Thumb, ThumbDirection, WatchedInterval
from libs.domain.viewing import Device
from libs.features.engagement import PLAYBACK_KINDS
from libs.features.watched_days import HOUR_COUNT, WatchedDay
from libs.storage.parquet_days import day_frame

# The night is from the one hour on the wall until before the other.
NIGHT_FROM: Final = 22
NIGHT_UNTIL: Final = 5
# Those that say that something was watched; what a SEEK jumped over was not.
WATCHING_KINDS: Final = tuple(
    sorted(kind.name for kind in PLAYBACK_KINDS if kind is not EventKind.SEEK)
)
OPINION_KINDS: Final = (EventKind.THUMB.name, EventKind.RATING.name)
# By `kind_numbers`.
IS_WATCHING: Final = np.array([*(kind.name in WATCHING_KINDS for kind in EventKind), False])
IS_OPINION: Final = np.array([*(kind.name in OPINION_KINDS for kind in EventKind), False])
# All that anything is counted of.
COUNTED_KINDS: Final = tuple(sorted((*WATCHING_KINDS, *OPINION_KINDS)))

SCHEMA: Final[dict[str, pl.DataType]] = {
    "event_id": pl.String(),
    "profile_id": pl.String(),
    "session_id": pl.String(),
    "kind": pl.Enum([kind.name for kind in EventKind]),
    "occurred_ms": pl.Int64(),
    "sequence": pl.Int64(),
    "title_id": pl.String(),
    "time_zone": pl.String(),
    "device": pl.Enum([device.name for device in Device]),
    "from_ms": pl.Int64(),
    "to_ms": pl.Int64(),
    "rating_value": pl.Float64(),
    "rating_scale": pl.Float64(),
    "thumb": pl.Enum([direction.name for direction in ThumbDirection]),
    "recorded_ms": pl.Int64(),
}


# What is left of events that were compacted: a row a profile, title and day on the wall.
DAY_SCHEMA: Final[dict[str, pl.DataType]] = {
    "profile_id": pl.String(),
    "title_id": pl.String(),
    "day": pl.Date(),
    "play_count": pl.Int64(),
    "complete_count": pl.Int64(),
    "watched_ms": pl.Int64(),
    "night_ms": pl.Int64(),
    "last_ms": pl.Int64(),
}
NO_DAYS: Final = pl.DataFrame(schema=DAY_SCHEMA)


def kind_numbers(history: pl.DataFrame) -> NDArray[np.uint8]:
    """(n,): the place of each kind in EventKind; the last place and one is of no known kind."""
    return history["kind"].to_physical().fill_null(len(EventKind)).to_numpy()


def days_of_partition(path: Path) -> pl.DataFrame:
    """The days of one file of an export, DAY_SCHEMA."""
    return _days(pl.read_parquet(path))


def of_days(days: Iterable[tuple[str, WatchedDay]]) -> pl.DataFrame:
    """The table of these days, each with whose it is."""
    return _days(day_frame(days))


def _days(frame: pl.DataFrame) -> pl.DataFrame:
    hours = (*range(NIGHT_FROM, HOUR_COUNT), *range(NIGHT_UNTIL))
    night_ms = pl.sum_horizontal(pl.col("hours_ms").arr.get(hour) for hour in hours)
    return frame.with_columns(night_ms=night_ms).select(list(DAY_SCHEMA))


# Besides their order, which they come in.
_IN_ORDER: Final = tuple(name for name in SCHEMA if name not in ("event_id", "sequence"))


def of_partition(path: Path) -> pl.DataFrame:
    """The events of one file of an export, in order: SCHEMA without what only says the order."""
    events = pl.read_parquet(path, columns=list(_IN_ORDER))
    # Kinds that another version wrote may be numbered otherwise.
    return events.filter(pl.col("kind").is_in(COUNTED_KINDS)).cast({"kind": SCHEMA["kind"]})


def of_events(events: Iterable[Event]) -> pl.DataFrame:
    """The table of these events, whatever their order."""
    rows = [_row(event) for event in events]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.filter(pl.col("kind").is_in(COUNTED_KINDS)).sort(
        "profile_id", "occurred_ms", "sequence", "event_id"
    )


def _row(event: Event) -> tuple[object, ...]:
    detail = event.detail
    watched = detail if isinstance(detail, WatchedInterval) else None
    rating = detail if isinstance(detail, Rating) else None
    return (
        event.event_id,
        event.profile_id,
        event.session_id,
        event.kind.name,
        event.occurred_ms,
        event.sequence,
        event.title_id,
        event.context.time_zone,
        event.context.device.name,
        watched.from_ms if watched else None,
        watched.to_ms if watched else None,
        rating.value if rating else None,
        rating.scale if rating else None,
        detail.direction.name if isinstance(detail, Thumb) else None,
        event.recording.recorded_ms if event.recording else 0,
    )
