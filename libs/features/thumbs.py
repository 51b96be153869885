"""Thumbs in the counters of titles: of one profile's thumbs about one title the newest holds.

Likes are those who hold one, not how often they said so; a thumb that is taken back leaves none.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from libs.domain.event import Event, Thumb
from libs.features.engagement import thumb_value
from libs.features.title_counters import OPINION_COLUMNS, TITLE_COUNTER_COUNT
from libs.features.title_shares import TitleShares

_Pair = tuple[str, str]

NO_SHARES: Final = TitleShares((), (), np.zeros((0, TITLE_COUNTER_COUNT)), np.zeros(0, np.int64))


def thumb_shares(new: Iterable[Event], known: Iterable[Event] = ()) -> TitleShares:
    """What `new` thumbs change of the counters that `known` ones of the same pairs have made.

    Other kinds of events are left out. A pair's country is that of the thumb that holds.
    """
    before = _newest(known)
    arrived = [event for event in new if isinstance(event.detail, Thumb)]
    after = _newest([*before.values(), *arrived])
    countries: list[str] = []
    title_ids: list[str] = []
    rows: list[np.ndarray] = []
    at_ms: list[int] = []

    def note(event: Event, sign: float) -> None:
        value = _opinion(event)
        row = np.zeros(TITLE_COUNTER_COUNT)
        if value:
            row[OPINION_COLUMNS[value]] = sign
            countries.append(event.context.country)
            title_ids.append(event.title_id)
            rows.append(row)
            at_ms.append(event.occurred_ms)

    for event in arrived:
        note(event, 0.0)  # who ever had a thumb has a row
    for pair in sorted({_pair(event) for event in arrived}):
        held, holds = before.get(pair), after[pair]
        if held is holds:
            continue
        if held is not None:
            note(held, -1.0)
        note(holds, 1.0)
    if not rows:
        return NO_SHARES
    return TitleShares(
        tuple(countries), tuple(title_ids), np.array(rows), np.array(at_ms, np.int64)
    )


def _newest(events: Iterable[Event]) -> dict[_Pair, Event]:
    found: dict[_Pair, Event] = {}
    for event in events:
        if isinstance(event.detail, Thumb):
            pair = _pair(event)
            if pair not in found or event.order > found[pair].order:
                found[pair] = event
    return found


def _pair(event: Event) -> _Pair:
    return event.profile_id, event.title_id


def _opinion(event: Event) -> int:
    return thumb_value(event.detail) if isinstance(event.detail, Thumb) else 0
