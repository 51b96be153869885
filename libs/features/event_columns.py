"""Events as aligned columns, for counters and training to be computed without a loop over them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from libs.domain.event import Event, Rating, Thumb
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

    def __len__(self) -> int:
        return len(self.kind)


# One event as a tuple: the three ids as text, then every other column; None is NaN.
EventRow = tuple[
    str, str, str, int, int, int, float, float | None, int, int, int, int, int, float | None
]
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
)
_IDS: Final = ("profile", "title", "country")


def from_events(events: Iterable[Event]) -> EventColumns:
    """The columns of `events`, sorted into their order."""
    ordered = sorted(events, key=lambda event: event.order)
    return from_rows([_row(event) for event in ordered])


def from_rows(rows: Iterable[EventRow]) -> EventColumns:
    """The columns of rows that are in order."""
    columns = ColumnsBuilder()
    columns.extend(list(rows))
    return columns.build()


def between(columns: EventColumns, start: int, stop: int) -> EventColumns:
    """The events from `start` until before `stop`, as views on the same ids."""
    return replace(columns, **{name: getattr(columns, name)[start:stop] for name, _ in ROW_COLUMNS})


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
            if name in self._codes:
                codes = self._codes[name]
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
            ids[name], arrays[name] = _ascending(self._codes[name], arrays[name])
        return EventColumns(ids["profile"], ids["title"], ids["country"], **arrays)  # type: ignore[arg-type]  # names and types are those of ROW_COLUMNS


def _ascending(
    codes: dict[str, int], numbers: NDArray[np.generic]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Renumber from order of appearance to the ascending order of the ids; "" becomes −1."""
    names = tuple(sorted(name for name in codes if name))
    place = np.full(len(codes) + 1, -1, np.int32)
    for index, name in enumerate(names):
        place[codes[name]] = index
    return names, place[numbers.astype(np.intp, copy=False)]


def _row(event: Event) -> EventRow:
    """One event as a tuple of ROW_COLUMNS, ids as text."""
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
