"""Between the messages that every contract shares and the domain's values."""

from enum import IntEnum
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.event import DAY_MS
from libs.domain.viewing import Device, Surface, ViewingContext
from libs.faults import InvalidField
from reprise.common.v1 import viewing_pb2

EnumT = TypeVar("EnumT", bound=IntEnum)

# The last moment of the year 9999, the most a Timestamp can say.
_LAST_SECOND: Final = 253_402_300_799


def enum_value(kind: type[EnumT], number: int, field: str) -> EnumT:
    """The member with that number; raises InvalidField for one that this release does not know."""
    try:
        return kind(number)
    except ValueError:
        known = ", ".join(str(member.value) for member in kind)
        raise InvalidField(field, f"has no value {number}; known are {known}") from None


def time_ms(message: Timestamp, field: str) -> int:
    """Unix milliseconds, rounded down; raises InvalidField outside 1970 to 9999."""
    if not 0 <= message.seconds <= _LAST_SECOND or not 0 <= message.nanos < 1_000_000_000:
        raise InvalidField(field, "must be a time from 1970 to 9999")
    return message.seconds * 1000 + message.nanos // 1_000_000


def request_time_ms(message: Timestamp, field: str, *, now_ms: int) -> int:
    """As `time_ms`, and at most a day ahead of `now_ms`."""
    at_ms = time_ms(message, field)
    if at_ms > now_ms + DAY_MS:
        raise InvalidField(field, "must be at most a day ahead")
    return at_ms


def timestamp(at_ms: int) -> Timestamp:
    """The message of a time in Unix milliseconds."""
    return Timestamp(seconds=at_ms // 1000, nanos=at_ms % 1000 * 1_000_000)


def page_size(value: int, field: str, *, default: int, most: int) -> int:
    """`default` for 0; raises InvalidField for a negative value or one above `most`."""
    if not 0 <= value <= most:
        raise InvalidField(field, f"must be from 0 to {most}, is {value}")
    return value or default


def viewing_context(message: viewing_pb2.ViewingContext, field: str) -> ViewingContext:
    """The domain's value; an InvalidField names the path below `field`."""
    try:
        return ViewingContext(
            time_zone=message.time_zone,
            device=enum_value(Device, message.device, "device"),
            country=message.country,
            language=message.language,
            surface=enum_value(Surface, message.surface, "surface"),
            kids=message.kids,
            geo_cell=message.geo_cell,
        )
    except InvalidField as fault:
        raise fault.within(field) from None


def viewing_context_message(context: ViewingContext) -> viewing_pb2.ViewingContext:
    """The message of the domain's value."""
    return viewing_pb2.ViewingContext(
        time_zone=context.time_zone,
        device=viewing_pb2.Device.ValueType(context.device),
        country=context.country,
        language=context.language,
        surface=viewing_pb2.Surface.ValueType(context.surface),
        kids=context.kids,
        geo_cell=context.geo_cell,
    )
