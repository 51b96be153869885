"""The viewing context: what is known about the moment of a request or an event."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from libs.domain.identifiers import check_country, check_word
from libs.faults import InvalidField


class Device(IntEnum):
    """The kind of screen; numbers are those of the contract."""

    UNSPECIFIED = 0
    TV = 1
    PHONE = 2
    TABLET = 3
    COMPUTER = 4
    CONSOLE = 5


class Surface(IntEnum):
    """The place in the product; numbers are those of the contract."""

    UNSPECIFIED = 0
    HOME = 1
    DETAIL = 2
    SEARCH = 3
    PLAYER = 4
    EMAIL = 5
    PUSH = 6


@dataclass(frozen=True, slots=True)
class ViewingContext:
    """Empty fields are not known; an empty time zone means UTC."""

    time_zone: str = ""
    device: Device = Device.UNSPECIFIED
    country: str = ""
    language: str = ""
    surface: Surface = Surface.UNSPECIFIED
    kids: bool = False
    geo_cell: str = ""

    def __post_init__(self) -> None:
        if self.time_zone:
            zone(self.time_zone)
        check_country("country", self.country)
        check_word("language", self.language, 35)
        check_word("geo_cell", self.geo_cell, 32)


UNKNOWN_CONTEXT = ViewingContext()


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name; raises InvalidField("time_zone") if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidField("time_zone", f"is no IANA time zone: {name[:64]!r}") from None


def local_time(at_ms: int, time_zone: str) -> datetime:
    """The wall clock at `at_ms` (Unix ms) in `time_zone`; "" means UTC."""
    return datetime.fromtimestamp(at_ms / 1000, zone(time_zone) if time_zone else UTC)
