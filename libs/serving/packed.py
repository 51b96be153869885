"""Packed arrays: little-endian numbers of 4 and 8 bytes in `bytes` fields between services."""

import numpy as np
from numpy.typing import NDArray

from libs.faults import InvalidField


def unpack_int32(data: bytes, field: str) -> NDArray[np.int32]:
    """(n,), read-only; raises InvalidField when the bytes are no whole number of values."""
    _check_length(data, field)
    return np.frombuffer(data, "<i4")


def unpack_int64(data: bytes, field: str) -> NDArray[np.int64]:
    """(n,), read-only; raises InvalidField when the bytes are no whole number of values."""
    _check_length(data, field, 8)
    return np.frombuffer(data, "<i8")


def unpack_float64(data: bytes, field: str) -> NDArray[np.float64]:
    """(n,), read-only; raises InvalidField when the bytes are no whole number of values."""
    _check_length(data, field, 8)
    return np.frombuffer(data, "<f8")


def unpack_float32(data: bytes, field: str) -> NDArray[np.float32]:
    """(n,), read-only; raises InvalidField when the bytes are no whole number of values."""
    _check_length(data, field)
    return np.frombuffer(data, "<f4")


def pack_int32(values: NDArray[np.int32]) -> bytes:
    """The bytes of `values` of any shape, row-major."""
    return values.astype("<i4", copy=False).tobytes()


def pack_float32(values: NDArray[np.float32]) -> bytes:
    """The bytes of `values` of any shape, row-major."""
    return values.astype("<f4", copy=False).tobytes()


def pack_int64(values: NDArray[np.int64]) -> bytes:
    """The bytes of `values` of any shape, row-major."""
    return values.astype("<i8", copy=False).tobytes()


def pack_float64(values: NDArray[np.float64]) -> bytes:
    """The bytes of `values` of any shape, row-major."""
    return values.astype("<f8", copy=False).tobytes()


def _check_length(data: bytes, field: str, size: int = 4) -> None:
    if len(data) % size:
        raise InvalidField(field, f"has {len(data)} bytes, which is no multiple of {size}")
