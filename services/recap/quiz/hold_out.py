"""The hold-out: profiles that are never offered the quiz, to measure what offering does to others.

Which they are follows from the profile alone, so it is the same on every replica and every day,
and a larger ratio keeps those of a smaller one.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from libs.faults import InvalidField

# What the key of the hold-out is derived by.
KEY_PURPOSE: Final = "quiz hold-out"


@dataclass(frozen=True, slots=True)
class HoldOut:
    """A share `ratio` of all profiles, chosen by a key."""

    ratio: float
    _key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise InvalidField("ratio", f"must be from 0 to 1, is {self.ratio}")

    def holds(self, tenant: str, profile_id: str) -> bool:
        """Whether the profile is one of them."""
        text = f"{tenant}\0{profile_id}".encode()
        drawn = int.from_bytes(hmac.new(self._key, text, hashlib.sha256).digest()[:8], "big")
        return drawn / 2**64 < self.ratio
