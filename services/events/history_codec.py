"""A page of history as it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.domain.event import EventKind
from libs.domain.identifiers import check_id
from libs.faults import InvalidField
from libs.serving.decoding import enum_value, page_size, request_time_ms
from reprise.events.v1 import events_pb2
from services.events.history_page import order_of


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """At most `most` of a profile's newest events that come before `before`."""

    profile_id: str
    most: int
    before: tuple[int, int, str] | None
    kinds: tuple[EventKind, ...]
    as_of_ms: int | None


def history_query(
    request: events_pb2.ListHistoryRequest | events_pb2.ListHistoryColumnsRequest,
    *,
    now_ms: int,
    default: int,
    most: int,
) -> HistoryQuery:
    """What a request means, for pages of `default` events, or up to `most`.

    Raises InvalidField.
    """
    return HistoryQuery(
        profile_id=check_id("profile_id", request.profile_id),
        most=page_size(request.page_size, "page_size", default=default, most=most),
        before=order_of(request.page_token),
        kinds=_kinds(request.kinds),
        as_of_ms=as_of_ms(request, now_ms),
    )


def as_of_ms(
    request: (
        events_pb2.ListHistoryRequest
        | events_pb2.ListHistoryColumnsRequest
        | events_pb2.GetProfileFeaturesRequest
        | events_pb2.GetTitleFeaturesRequest
    ),
    now_ms: int,
) -> int | None:
    """The past time that is asked about, None for now; raises InvalidField."""
    if not request.HasField("as_of"):
        return None
    return request_time_ms(request.as_of, "as_of", now_ms=now_ms)


def _kinds(numbers: Sequence[int]) -> tuple[EventKind, ...]:
    if len(numbers) > len(EventKind):
        raise InvalidField("kinds", f"must be at most {len(EventKind)}, are {len(numbers)}")
    return tuple(dict.fromkeys(enum_value(EventKind, number, "kinds") for number in numbers))
