"""Between what is kept of compacted events and its rows in PostgreSQL, sealed as events are."""

import json
import struct
import zlib
from typing import Final

from libs.features.watched_days import HOUR_COUNT, WatchedDay
from libs.storage.postgres.identities import Identity

_BASE: Final = "base"
_LENGTH: Final = struct.Struct("<I")
# Records are mostly zeros: a quarter is left of them, for 10 µs each.
_LEVEL: Final = 1


def seal_base(own: bytes, identity: Identity) -> bytes:
    """What is the profile's own, as ProfileFold encodes it."""
    return identity.seal(own, _BASE)


def open_base(sealed: bytes, identity: Identity) -> bytes:
    """The inverse of `seal_base`."""
    return identity.open(sealed, _BASE)


def seal_title(title_id: str, record: bytes, watched: bytes, identity: Identity) -> bytes:
    """The encoded record and intervals of one title."""
    packed = zlib.compress(record, _LEVEL)
    return identity.seal(_LENGTH.pack(len(packed)) + packed + watched, f"title {title_id}")


def open_title(title_id: str, sealed: bytes, identity: Identity) -> tuple[bytes, bytes]:
    """The inverse of `seal_title`."""
    data = identity.open(sealed, f"title {title_id}")
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    return zlib.decompress(data[_LENGTH.size : end]), data[end:]


def seal_day(one: WatchedDay, identity: Identity) -> bytes:
    """What is not in the key of a day's row."""
    values = (
        one.play_count,
        one.rewatch_count,
        one.complete_count,
        one.rating_count,
        one.watched_ms,
        [[hour, ms] for hour, ms in enumerate(one.hours_ms) if ms],
        one.duration_ms,
        one.first_ms,
        one.last_ms,
        one.time_zone,
    )
    text = json.dumps(values, separators=(",", ":"))
    return identity.seal(text.encode(), f"day {one.day} {one.title_id}")


def open_day(day: int, title_id: str, sealed: bytes, identity: Identity) -> WatchedDay:
    """The inverse of `seal_day`."""
    plays, rewatches, completes, ratings, watched, hours, *rest = json.loads(
        identity.open(sealed, f"day {day} {title_id}")
    )
    hours_ms = [0] * HOUR_COUNT
    for hour, ms in hours:
        hours_ms[hour] = ms
    return WatchedDay(
        title_id, day, plays, rewatches, completes, ratings, watched, tuple(hours_ms), *rest
    )
