"""Messages made wrong on purpose: fields with values that nobody sends, and bytes that are none."""

import math
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

MOST_BYTES: Final = 2**20

_LONG: Final = 65_536

TEXTS: Final = (
    "",
    "\x00",
    "a\x00b",
    "\u202eevil\u202c",
    "\u2066x\u2069",
    "\ufeff",
    "x" * _LONG,
    "é" * _LONG,
    "'; DROP TABLE events; --",
    "../../etc/passwd",
    "{}",
    "%s%n",
    "\U0001f600" * 200,
    "a" * 128,
    "a" * 129,
    "PT",
    "pt",
    "Europe/Lisbon",
    "Europe",
    "p",
    "t01",
)
SMALL_INTEGERS: Final = (0, 1, 2, 5, 20, 100, 500, 501, 2_000, 2_001)
FLOATS: Final = (0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 5e-324, 1.8e308, 1e-9)
BLOBS: Final = (
    b"",
    b"\x00",
    b"\xff" * 3,
    b"\x00" * 4,
    b"\xff" * 4,
    b"\x01\x00\x00\x00" * 3,
    b"\x00\x00\xc0\x7f" * 2,
    b"\x00\x00\x80\xff",
    b"\x7f" * _LONG,
)

_BITS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (32, True),
    FieldDescriptor.CPPTYPE_INT64: (64, True),
    FieldDescriptor.CPPTYPE_UINT32: (32, False),
    FieldDescriptor.CPPTYPE_UINT64: (64, False),
    FieldDescriptor.CPPTYPE_ENUM: (32, True),
}


def mutated(message: Message, random: Random) -> bytes:
    """The bytes of a copy with a few things wrong, in its fields, its bytes or both.

    At most MOST_BYTES: what gRPC itself refuses as too large never reaches a service.
    """
    while len(data := _mutated(message, random)) > MOST_BYTES:
        pass
    return data


def _mutated(message: Message, random: Random) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    for _ in range(random.randrange(4)):
        _change_field(copy, random)
    data = copy.SerializeToString()
    if random.random() < 0.4:
        for _ in range(random.randint(1, 4)):
            data = random.choice(_BYTE_CHANGES)(data, random)
    return data


def _change_field(message: Message, random: Random) -> None:
    """Give one field, here or below, another value."""
    fields = cast("list[FieldDescriptor]", list(message.DESCRIPTOR.fields))
    if not fields:
        return
    field = random.choice(fields)
    if field.is_repeated:
        values = getattr(message, field.name)
        if field.message_type is not None and values and random.random() < 0.7:
            _change_field(random.choice(list(values)), random)
        elif values and random.random() < 0.3:
            del values[random.randrange(len(values))]
        else:
            _append(values, field, random)
    elif field.message_type is not None:
        if random.random() < 0.15:
            message.ClearField(field.name)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _change_field(inner, random)
    elif random.random() < 0.15:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _value(field, random))


def _append(values: Any, field: FieldDescriptor, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 70))):
        if field.message_type is None:
            values.append(_value(field, random))
        elif values and random.random() < 0.8:
            values.add().CopyFrom(values[0])
        else:
            _change_field(values.add(), random)


def _value(field: FieldDescriptor, random: Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return random.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.choice(BLOBS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return random.random() < 0.5
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return random.choice(FLOATS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
        return random.choice(FLOATS)
    bits, is_signed = _BITS[field.cpp_type]
    most = 2 ** (bits - is_signed) - 1
    least = -most - 1 if is_signed else 0
    near = random.choice(SMALL_INTEGERS)
    return random.choice((least, most, near, max(least, -near), random.randint(least, most)))


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _drop(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + data[place + random.randint(1, 8) :]


def _insert(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.randbytes(random.randint(1, 16)) + data[place:]


def _repeat(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + data[place : place + 64] * 3 + data[place:]


_BYTE_CHANGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _flip,
    _flip,
    _cut,
    _drop,
    _insert,
    _repeat,
)
