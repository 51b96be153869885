"""Exponentially decayed counters: vectors of values with the time that they are of.

A value halves with every half-life. Two states merge at the larger time, so adding commutes and
associates (up to rounding) without any landmark that could overflow.
"""

import functools
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from libs.domain.event import DAY_MS

DAYS: Final = float(DAY_MS)
FOREVER: Final = float("inf")

_TIME: Final = struct.Struct("<q")


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """Values as of `at_ms`; zeros at 0 are the empty state."""

    values: NDArray[np.float64]  # (k,)
    at_ms: int


def empty(size: int) -> Counters:
    """The state that no event has touched."""
    return Counters(np.zeros(size), 0)


def add(
    counters: Counters,
    increments: NDArray[np.float64],
    at_ms: int,
    half_lives_ms: NDArray[np.float64],
) -> Counters:
    """Add `increments` (k,) that happened at `at_ms`, which may be earlier than the counters."""
    to_ms = max(counters.at_ms, at_ms)
    kept = decay(counters.values, counters.at_ms, to_ms, half_lives_ms)
    return Counters(kept + decay(increments, at_ms, to_ms, half_lives_ms), to_ms)


def decay(
    values: NDArray[np.float64],
    at_ms: ArrayLike,
    to_ms: int,
    half_lives_ms: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Values (..., k) of the times `at_ms` (...) as they are at `to_ms`; never grown."""
    return values * decay_factors(np.subtract(to_ms, at_ms), half_lives_ms)


def decay_factors(ages_ms: ArrayLike, half_lives_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (..., k): what is left after ages (...); negative ages count as 0."""
    distinct, column = _distinct(half_lives_ms.tobytes())
    ages = np.maximum(np.asarray(ages_ms, dtype=np.float64), 0.0)[..., np.newaxis]
    factors: NDArray[np.float64] = np.exp2(-ages / distinct)[..., column]
    return factors


# Few half-lives are distinct, and the power is the dear part.
@functools.lru_cache(maxsize=16)
def _distinct(half_lives_ms: bytes) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The distinct half-lives of packed float64 (k,), and the place (k,) of each among them."""
    return np.unique(np.frombuffer(half_lives_ms), return_inverse=True)


def left(age_ms: int, half_life_ms: float) -> float:
    """What is left of 1 after `age_ms` ≥ 0: the same law for one number."""
    return float(2.0 ** (-age_ms / half_life_ms))


def encode_counters(counters: Counters) -> bytes:
    """Little-endian bytes: the time as int64, then the values as float64."""
    return _TIME.pack(counters.at_ms) + counters.values.astype("<f8", copy=False).tobytes()


def decode_counters(data: bytes) -> Counters:
    """The inverse of `encode_counters`."""
    (at_ms,) = _TIME.unpack_from(data)
    return Counters(np.frombuffer(data, "<f8", offset=_TIME.size), at_ms)
