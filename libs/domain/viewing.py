"""The viewing context: what is known about the moment of a request or an event."""

import functools
import importlib.resources
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

from libs.domain.identifiers import check_country, check_word
from libs.faults import InvalidField

_ZONES: Final = "tzdata"


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
    """The IANA time zone of that name; raises InvalidField("time_zone") if there is none.

    Of the package that is pinned, not of the machine: its rules may be years old, and it calls
    zones what is none elsewhere ("localtime", "right/Europe/Berlin").
    """
    if name not in zone_names():
        raise InvalidField("time_zone", f"is no IANA time zone: {name[:64]!r}")
    path = importlib.resources.files(_ZONES).joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@functools.cache
def zone_names() -> frozenset[str]:
    """All that `zone` knows."""
    return frozenset(importlib.resources.files(_ZONES).joinpath("zones").read_text().split())


def local_time(at_ms: int, time_zone: str) -> datetime:
    """The wall clock at `at_ms` (Unix ms) in `time_zone`; "" means UTC."""
    return datetime.fromtimestamp(at_ms / 1000, zone(time_zone) if time_zone else UTC)
