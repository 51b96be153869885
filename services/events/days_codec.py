"""Watched days as the messages of the contract, and where a page of them ends."""

import base64
import binascii
import json
from datetime import date
from typing import Final

from libs.faults import InvalidField
from libs.features.watched_days import WatchedDay, day_number
from libs.serving.decoding import timestamp
from reprise.events.v1 import events_pb2

# (day, title id): what days are ordered by.
Place = tuple[int, str]

_BEFORE_ALL: Final[Place] = (-(2**31), "")


def day_of(text: str, field: str) -> int | None:
    """The number of a day such as "2025-12-31"; None for an empty text.

    Raises InvalidField for what is no day.
    """
    if not text:
        return None
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise InvalidField(field, "must be a day as YYYY-MM-DD") from None


def page(days: list[WatchedDay], after: Place, most: int) -> events_pb2.ListWatchedDaysResponse:
    """At most `most` of the days, which are in order, that come after a place."""
    left = [one for one in days if (one.day, one.title_id) > after]
    shown = left[:most]
    return events_pb2.ListWatchedDaysResponse(
        days=[_message(one) for one in shown],
        next_page_token=_token(shown[-1]) if len(left) > most else "",
    )


def place_of(token: str) -> Place:
    """What the page comes after; raises InvalidField("page_token") for one that nobody gave."""
    if not token:
        return _BEFORE_ALL
    try:
        match json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True)):
            case [int(day), str(title_id)]:
                return (day, title_id)
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise InvalidField("page_token", "is none that an answer gave")


def _token(last: WatchedDay) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.day, last.title_id]).encode()).decode()


def _message(one: WatchedDay) -> events_pb2.WatchedDay:
    return events_pb2.WatchedDay(
        title_id=one.title_id,
        day=one.date.isoformat(),
        time_zone=one.time_zone,
        play_count=one.play_count,
        rewatch_count=one.rewatch_count,
        complete_count=one.complete_count,
        rating_count=one.rating_count,
        watched_ms=one.watched_ms,
        hours_ms=one.hours_ms,
        duration_ms=one.duration_ms,
        first_at=timestamp(one.first_ms),
        last_at=timestamp(one.last_ms),
    )
