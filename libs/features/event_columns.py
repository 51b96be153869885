"""Events as aligned columns, for counters and training to be computed without a loop over them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from libs.domain.event import Event, EventKind, Rating, Thumb
from libs.features.daypart import event_daypart
from libs.features.engagement import engagement, opinion, thumb_value


@dataclass(frozen=True, slots=True, eq=False)
class EventColumns:
    """n events in order; an index of −1 means that the event names none."""

    profile_ids: tuple[str, ...]  # ascending
    title_ids: tuple[str, ...]  # ascending
    countries: tuple[str, ...]  # ascending
    profile: NDArray[np.int32]  # (n,) index in profile_ids
    title: NDArray[np.int32]  # (n,) index in title_ids
    country: NDArray[np.int32]  # (n,) index in countries
    kind: NDArray[np.int8]  # (n,) EventKind
    occurred_ms: NDArray[np.int64]  # (n,) ascending
    sequence: NDArray[np.int64]  # (n,)
    engagement: NDArray[np.float64]  # (n,) 0 to 1
    rating: NDArray[np.float64]  # (n,) value / scale; NaN for none
    thumb: NDArray[np.int8]  # (n,) +1, −1, 0
    opinion: NDArray[np.int8]  # (n,) +1 like, −1 dislike, 0
    device: NDArray[np.int8]  # (n,) Device
    daypart: NDArray[np.int8]  # (n,) 0 to 7
    position: NDArray[np.int32]  # (n,) place in the row; −1 for none
    propensity: NDArray[np.float64]  # (n,) of the decision behind an impression; NaN for none
    undone: NDArray[np.int8]  # (n,) the opinion of the thumb before, which a thumb undoes; or 0
    undone_country: NDArray[np.int32]  # (n,) index in countries, of the thumb before

    def __len__(self) -> int:
        return len(self.kind)


# One event as a tuple: the three ids as text, then every other column; None is NaN.
EventRow = tuple[
    str, str, str, int, int, int, float, float | None, int, int, int, int, int, float | None,
    int, str,
]  # fmt: skip
# The name and type of the columns of an EventRow, in its order.
ROW_COLUMNS: Final[tuple[tuple[str, DTypeLike], ...]] = (
    ("profile", np.int32),
    ("title", np.int32),
    ("country", np.int32),
    ("kind", np.int8),
    ("occurred_ms", np.int64),
    ("sequence", np.int64),
    ("engagement", np.float64),
    ("rating", np.float64),
    ("thumb", np.int8),
    ("opinion", np.int8),
    ("device", np.int8),
    ("daypart", np.int8),
    ("position", np.int32),
    ("propensity", np.float64),
    ("undone", np.int8),
    ("undone_country", np.int32),
)
_IDS: Final = ("profile", "title", "country")
# Columns of ids, and whose ids they are.
_CODED: Final = {**{name: name for name in _IDS}, "undone_country": "country"}

# A thumb's opinion and country.
Thumbed = tuple[int, str]


def from_events(events: Iterable[Event], earlier: Iterable[Event] = ()) -> EventColumns:
    """The columns of `events`, sorted into their order.

    `earlier` are events before all of them, whose thumbs they may undo.
    """
    held: dict[tuple[str, str], Thumbed] = {}
    for event in sorted(earlier, key=_IN_ORDER):
        _undone(event, held)
    ordered = sorted(events, key=_IN_ORDER)
    return from_rows([(*_row(event), *_undone(event, held)) for event in ordered])


def without_thumbs(columns: EventColumns) -> EventColumns:
    """The same, of which thumbs say nothing: who adds a part of the log counts them apart."""
    is_thumb = columns.kind == EventKind.THUMB
    return replace(
        columns,
        opinion=np.where(is_thumb, 0, columns.opinion).astype(np.int8),
        undone=np.zeros_like(columns.undone),
    )


def _undone(event: Event, held: dict[tuple[str, str], Thumbed]) -> Thumbed:
    """What a thumb undoes, and "held" is of it from then on; other events undo nothing."""
    if not isinstance(event.detail, Thumb):
        return _NOTHING_UNDONE
    pair = (event.profile_id, event.title_id)
    before = held.get(pair, _NOTHING_UNDONE)
    held[pair] = (thumb_value(event.detail), event.context.country)
    return before


def from_rows(rows: Iterable[EventRow]) -> EventColumns:
    """The columns of rows that are in order."""
    columns = ColumnsBuilder()
    columns.extend(list(rows))
    return columns.build()


def between(columns: EventColumns, start: int, stop: int) -> EventColumns:
    """The events from `start` until before `stop`, as views on the same ids."""
    return replace(columns, **{name: getattr(columns, name)[start:stop] for name, _ in ROW_COLUMNS})


_NOTHING_UNDONE: Final[Thumbed] = (0, "")
_IN_ORDER: Final = attrgetter("order")


class ColumnsBuilder:
    """Columns from rows that come in chunks."""

    def __init__(self) -> None:
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _IDS}
        self._chunks: list[list[NDArray[np.generic]]] = []

    def extend(self, rows: list[EventRow]) -> None:
        """Append the next rows."""
        if not rows:
            return
        chunk: list[NDArray[np.generic]] = []
        for (name, dtype), values in zip(ROW_COLUMNS, zip(*rows, strict=True), strict=True):
            if name in _CODED:
                codes = self._codes[_CODED[name]]
                numbers = [codes.setdefault(value, len(codes)) for value in values]
                chunk.append(np.array(numbers, dtype))
            else:
                chunk.append(np.array(values, dtype))
        self._chunks.append(chunk)

    def build(self) -> EventColumns:
        """The columns of all rows so far."""
        arrays: dict[str, NDArray[np.generic]] = {}
        for place, (name, dtype) in enumerate(ROW_COLUMNS):
            parts = [chunk[place] for chunk in self._chunks]
            arrays[name] = np.concatenate(parts) if parts else np.zeros(0, dtype)
        ids: dict[str, tuple[str, ...]] = {}
        for name in _IDS:
            ids[name], places = _ascending(self._codes[name])
            for column, whose in _CODED.items():
                if whose == name:
                    arrays[column] = places[arrays[column].astype(np.intp, copy=False)]
        return EventColumns(ids["profile"], ids["title"], ids["country"], **arrays)  # type: ignore[arg-type]  # names and types are those of ROW_COLUMNS


def _ascending(codes: dict[str, int]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The ids in ascending order, and where each code's is among them; "" is −1."""
    names = tuple(sorted(name for name in codes if name))
    place = np.full(len(codes) + 1, -1, np.int32)
    for index, name in enumerate(names):
        place[codes[name]] = index
    return names, place


def _row(event: Event) -> tuple[Any, ...]:
    """One event as a tuple of ROW_COLUMNS less the last two, ids as text."""
    detail, placement, attribution = event.detail, event.placement, event.attribution
    return (
        event.profile_id,
        event.title_id,
        event.context.country,
        event.kind,
        event.occurred_ms,
        event.sequence,
        engagement(event),
        detail.value / detail.scale if isinstance(detail, Rating) else None,
        thumb_value(detail) if isinstance(detail, Thumb) else 0,
        opinion(event),
        event.context.device,
        event_daypart(event),
        placement.position if placement else -1,
        attribution.propensity if attribution else None,
    )
