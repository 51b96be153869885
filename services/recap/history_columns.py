"""A page of a history as it comes in columns."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from libs.domain.event import (
    Event,
    EventKind,
    Rating,
    Recording,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.viewing import Device, ViewingContext
from libs.faults import InvalidField
from libs.features.watched_days import DAY_KINDS
from libs.serving.packed import unpack_float64, unpack_int32, unpack_int64
from reprise.events.v1 import events_pb2
from services.recap.year.history import SCHEMA

_SMALL: Final = ("session", "title", "time_zone", "kind", "device", "thumb")
_LARGE: Final = ("occurred_ms", "sequence", "recorded_ms", "from_ms", "to_ms", "duration_ms")
_RATINGS: Final = ("rating_value", "rating_scale")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HistoryPage:
    """n events of one profile, newest first, as ListHistoryColumnsResponse has them."""

    profile_id: str
    event_ids: list[str]
    texts: list[str]
    columns: dict[str, NDArray[Any]]  # (n,) each

    @staticmethod
    def of(profile_id: str, message: events_pb2.ListHistoryColumnsResponse) -> "HistoryPage":
        """Raises InvalidField for columns of other lengths than the ids."""
        columns: dict[str, NDArray[Any]] = {}
        for names, unpack in (
            (_SMALL, unpack_int32),
            (_LARGE, unpack_int64),
            (_RATINGS, unpack_float64),
        ):
            columns |= {name: unpack(getattr(message, name), name) for name in names}
        for name, values in columns.items():
            if len(values) != len(message.event_ids):
                raise InvalidField(name, f"must have {len(message.event_ids)} values")
        for name in ("session", "title", "time_zone"):
            if np.any((columns[name] < 0) | (columns[name] >= len(message.texts))):
                raise InvalidField(name, "must be places in texts")
        return HistoryPage(profile_id, list(message.event_ids), list(message.texts), columns)

    def frame(self) -> pl.DataFrame:
        """The table of a history, oldest first."""
        texts = pl.Series(self.texts, dtype=pl.String())
        columns = self.columns
        frame = pl.DataFrame(
            {
                "event_id": pl.Series(self.event_ids, dtype=pl.String()),
                "session_id": texts.gather(columns["session"]),
                "kind": _named(EventKind, columns["kind"], "kind"),
                # One that a newer service knows is none that is known here.
                "device": _named(Device, columns["device"], "device").fill_null(
                    Device.UNSPECIFIED.name
                ),
                "title_id": texts.gather(columns["title"]),
                "time_zone": texts.gather(columns["time_zone"]),
                "thumb": _named(ThumbDirection, columns["thumb"], "thumb"),
                **{name: columns[name] for name in (*_LARGE, *_RATINGS)},
            }
        )
        return frame.select(
            pl.when(pl.col("duration_ms") >= 0).then(name)
            if name in ("from_ms", "to_ms")
            else pl.lit(self.profile_id, pl.String()).alias(name)
            if name == "profile_id"
            else pl.col(name).fill_nan(None)
            if name in _RATINGS
            else pl.col(name)
            for name in SCHEMA
        ).reverse()

    def events(self) -> Iterator[Event]:
        """Those that make a WatchedDay, newest first, with what it is made of."""
        names = (*_SMALL, *_LARGE, *_RATINGS)
        rows = zip(*(self.columns[name].tolist() for name in names), strict=True)
        for event_id, row in zip(self.event_ids, rows, strict=True):
            one = dict(zip(names, row, strict=True))
            if one["kind"] not in DAY_KINDS:
                continue
            detail: WatchedInterval | Thumb | Rating | None = None
            if one["duration_ms"] >= 0:
                detail = WatchedInterval(one["from_ms"], one["to_ms"], one["duration_ms"])
            elif one["thumb"]:
                detail = Thumb(ThumbDirection(one["thumb"]))
            elif one["rating_scale"] == one["rating_scale"]:
                detail = Rating(one["rating_value"], one["rating_scale"])
            yield Event(
                event_id=event_id,
                profile_id=self.profile_id,
                session_id=self.texts[one["session"]],
                kind=EventKind(one["kind"]),
                occurred_ms=one["occurred_ms"],
                sequence=one["sequence"],
                title_id=self.texts[one["title"]],
                context=ViewingContext(time_zone=self.texts[one["time_zone"]]),
                detail=detail,
                recording=Recording(one["recorded_ms"], 1),
            )


def _named(
    of: type[Device] | type[EventKind] | type[ThumbDirection],
    numbers: NDArray[np.int32],
    field: str,
) -> pl.Series:
    """The names of numbers, null for those of no name."""
    names = {one.value: one.name for one in of}
    return (
        pl.Series(field, numbers)
        .replace_strict(names, default=None, return_dtype=pl.String())
        .cast(SCHEMA[field])
    )
