"""Wishes: the titles that the newest answers of a quiz come to, for as long as the evening lasts.

A last-writer register of the profile. It is read as evidence of the session, and fades by itself.
"""

import struct
from dataclasses import dataclass
from typing import Final

from libs.domain.event import DAY_MS, Event, QuizAnswer, Wish
from libs.features.counters import left
from libs.features.title_record import Key, tie

# What somebody is in the mood for is about this evening, and next to nothing tomorrow.
WISH_HALF_LIFE_MS: Final = 3.0 * 3_600_000
WISH_TTL_MS: Final = DAY_MS
# In the mood for it now says more than watched once. Of 300 simulated viewers with a history the
# median rank of what they want, of 500, is 193 without wishes and 122, 101 and 82 after 4 answers
# at 1, 4 and 12; beyond 4 a page would be about little else.
WISH_STRENGTH: Final = 4.0

_HEAD: Final = struct.Struct("<qqQ")
_ONE: Final = struct.Struct("<dH")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the newest answer, by (occurred_ms, sequence, tie of event_id), has come to."""

    key: Key = (0, 0, 0)
    wishes: tuple[Wish, ...] = ()

    def after(self, event: Event) -> "Wishes":
        """With one event more, in any order; those that wish for nothing change nothing."""
        detail = event.detail
        if not isinstance(detail, QuizAnswer) or not detail.wishes:
            return self
        key = (event.occurred_ms, event.sequence, tie(event.event_id))
        return Wishes(key, detail.wishes) if key > self.key or not self.wishes else self

    def unexpired(self, at_ms: int) -> "Wishes":
        """These while they last, and then none."""
        return self if at_ms - self.key[0] < WISH_TTL_MS else NO_WISHES

    def at(self, at_ms: int) -> tuple[tuple[str, float], ...]:
        """Title ids and what they weigh at that time, as evidence; none once they have expired."""
        kept = WISH_STRENGTH * left(max(at_ms - self.key[0], 0), WISH_HALF_LIFE_MS)
        wishes = self.unexpired(at_ms).wishes
        return tuple([(wish.title_id, wish.weight * kept) for wish in wishes])


NO_WISHES: Final = Wishes()


def encode_wishes(wishes: Wishes) -> bytes:
    """Little-endian bytes; none for no wishes."""
    if not wishes.wishes:
        return b""
    parts = [_HEAD.pack(*wishes.key)]
    for wish in wishes.wishes:
        title_id = wish.title_id.encode()
        parts += [_ONE.pack(wish.weight, len(title_id)), title_id]
    return b"".join(parts)


def decode_wishes(data: bytes) -> Wishes:
    """The inverse of `encode_wishes`."""
    if not data:
        return NO_WISHES
    found: list[Wish] = []
    start = _HEAD.size
    while start < len(data):
        weight, size = _ONE.unpack_from(data, start)
        start += _ONE.size
        found.append(Wish(data[start : start + size].decode(), weight))
        start += size
    ms, sequence, number = _HEAD.unpack_from(data)
    return Wishes((ms, sequence, number), tuple(found))
