"""Title counters: how much titles are watched, shown and liked, decayed over several spans."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.viewing import Device
from libs.features.counters import FOREVER, decay_factors
from libs.features.daypart import DAYPART_COUNT
from libs.features.event_columns import EventColumns, from_events

_DAY: Final = 1.0 * DAY_MS
WEEK_MS: Final = 7.0 * DAY_MS
MONTH_MS: Final = 30.0 * DAY_MS

# Devices with a counter of their own; engagement on an unspecified device counts in the totals.
COUNTED_DEVICES: Final = tuple(device for device in Device if device is not Device.UNSPECIFIED)

_COLUMNS: Final[tuple[tuple[str, float], ...]] = (
    ("engagement_1d", _DAY),
    ("engagement_7d", WEEK_MS),
    ("engagement_30d", MONTH_MS),
    ("engagement_all", FOREVER),
    ("starts_7d", WEEK_MS),
    ("starts_30d", MONTH_MS),
    ("impressions_7d", WEEK_MS),
    ("clicks_7d", WEEK_MS),
    ("completes_30d", MONTH_MS),
    ("likes_all", FOREVER),
    ("dislikes_all", FOREVER),
    *((f"engagement_30d_{device.name.lower()}", MONTH_MS) for device in COUNTED_DEVICES),
    *((f"engagement_30d_daypart_{part}", MONTH_MS) for part in range(DAYPART_COUNT)),
)
TITLE_COUNTER_NAMES: Final = tuple(name for name, _ in _COLUMNS)
TITLE_HALF_LIVES_MS: Final[NDArray[np.float64]] = np.array([life for _, life in _COLUMNS])
TITLE_COUNTER_COUNT: Final = len(_COLUMNS)

# By an opinion: the column of its counter.
OPINION_COLUMNS: Final = {
    1: TITLE_COUNTER_NAMES.index("likes_all"),
    -1: TITLE_COUNTER_NAMES.index("dislikes_all"),
}

_COLUMN: Final = {name: place for place, name in enumerate(TITLE_COUNTER_NAMES)}
_KIND_COLUMNS: Final = (
    (EventKind.PLAY, _COLUMN["starts_7d"]),
    (EventKind.PLAY, _COLUMN["starts_30d"]),
    (EventKind.IMPRESSION, _COLUMN["impressions_7d"]),
    (EventKind.CLICK, _COLUMN["clicks_7d"]),
    (EventKind.COMPLETE, _COLUMN["completes_30d"]),
)


class Contribution(NamedTuple):
    """What some events add to one counter."""

    column: int
    events: NDArray[np.intp]  # (m,) ascending
    amounts: NDArray[np.float64]  # (m,)
    is_undone: bool = False  # whether it is of the country of what the events undo


def contributions(columns: EventColumns) -> Iterator[Contribution]:
    """What the events add to each counter: the one definition of all of them."""
    watched = np.flatnonzero((columns.engagement > 0) & (columns.title >= 0))
    shares = columns.engagement[watched]
    for name in ("engagement_1d", "engagement_7d", "engagement_30d", "engagement_all"):
        yield Contribution(_COLUMN[name], watched, shares)
    for kind, column in _KIND_COLUMNS:
        happened = np.flatnonzero(columns.kind == kind)
        yield Contribution(column, happened, np.ones(len(happened)))
    for sign, name in ((1, "likes_all"), (-1, "dislikes_all")):
        held = np.flatnonzero(columns.opinion == sign)
        yield Contribution(_COLUMN[name], held, np.ones(len(held)))
        undone = np.flatnonzero(columns.undone == sign)
        yield Contribution(_COLUMN[name], undone, -np.ones(len(undone)), is_undone=True)
    for device in COUNTED_DEVICES:
        on = columns.device[watched] == device
        column = _COLUMN[f"engagement_30d_{device.name.lower()}"]
        yield Contribution(column, watched[on], shares[on])
    for part in range(DAYPART_COUNT):
        during = columns.daypart[watched] == part
        column = _COLUMN[f"engagement_30d_daypart_{part}"]
        yield Contribution(column, watched[during], shares[during])


def increments(event: Event) -> NDArray[np.float64] | None:
    """What one event adds to the counters (k,) of its title; None when it changes nothing."""
    added = np.zeros(TITLE_COUNTER_COUNT)
    for column, events, amounts, _ in contributions(from_events([event])):
        added[column] += amounts.sum() if len(events) else 0.0
    return added if added.any() else None


def counted(columns: EventColumns) -> NDArray[np.bool_]:
    """Which events (n,) change any counter by more than what they undo."""
    changed = np.zeros(len(columns), np.bool_)
    for contribution in contributions(columns):
        if not contribution.is_undone:
            changed[contribution.events] = True
    return changed


def sums(
    columns: EventColumns,
    rows: NDArray[np.intp],
    row_count: int,
    to_ms: NDArray[np.int64],
    undone_rows: NDArray[np.intp] | None = None,
) -> NDArray[np.float64]:
    """The counters (row_count, k) that the events add to their `rows` (n,), decayed to `to_ms`.

    `to_ms` (row_count,) is each row's time, not before any of its events. Events with a negative
    row are left out. What they undo is of `undone_rows` (n,), which are the same if not given.
    Within a row the events are added in their order, so the same events in the same order give the
    same bits, whichever other rows there are.
    """
    ages_ms = to_ms[rows] - columns.occurred_ms if row_count else columns.occurred_ms
    factors = decay_factors(ages_ms, TITLE_HALF_LIVES_MS)
    total = np.zeros((row_count, TITLE_COUNTER_COUNT))
    for column, events, amounts, is_undone in contributions(columns):
        of = undone_rows if is_undone and undone_rows is not None else rows
        is_named = of[events] >= 0
        named = events[is_named]
        if len(named):
            # Opinions never fade, so the age by the time of another row does not matter.
            weights = amounts[is_named] * factors[named, column]
            total[:, column] += np.bincount(of[named], weights, minlength=row_count)
    return total
