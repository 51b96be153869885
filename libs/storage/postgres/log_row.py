"""Between an event and its row in PostgreSQL: a number for the profile, the rest of it sealed."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, LiteralString

from libs.domain.event import Attribution, Event
from libs.storage.event_row import EVENT_COLUMNS, WEIGHT_COLUMNS, Row, decode, encode
from libs.storage.postgres.identities import Identity

# What could tell who somebody is, beside the id: encrypted together with the key of the profile.
SEALED: Final = ("session_id", "time_zone", "language", "geo_cell", "detail")
_PROFILE: Final = "profile_id"
# No text that is taken has one, nor has JSON.
_BETWEEN: Final = "\0"
_NOTHING: Final = _BETWEEN * (len(SEALED) - 1)


def _split(columns: str) -> list[str]:
    return [name.strip() for name in columns.split(",")]


_NAMES: Final = _split(EVENT_COLUMNS)
_PLAIN: Final = [name for name in _NAMES if name not in (*SEALED, _PROFILE)]
_WRITTEN: Final = [*_PLAIN, *_split(WEIGHT_COLUMNS)]
_ENCODED: Final = [*_NAMES, *_split(WEIGHT_COLUMNS)]

# In the order of `encode_row` and `decode_row`.
ROW_COLUMNS: Final[LiteralString] = "person, sealed, " + ", ".join(_PLAIN)
WRITTEN_COLUMNS: Final[LiteralString] = "person, sealed, " + ", ".join(_WRITTEN)
PERSON: Final = 0

_sealed_of: Final = itemgetter(*(_ENCODED.index(name) for name in SEALED))
_written_of: Final = itemgetter(*(_ENCODED.index(name) for name in _WRITTEN))
_MERGED: Final = (_PROFILE, *SEALED, *_PLAIN)
_named: Final = itemgetter(*(_MERGED.index(name) for name in _NAMES))
_EVENT_ID: Final = 2 + _PLAIN.index("event_id")


def encode_row(
    event: Event, attribution: Attribution | None, recorded_ms: int, identity: Identity
) -> Row:
    """The row of WRITTEN_COLUMNS."""
    row = encode(event, attribution, recorded_ms)
    text = _BETWEEN.join([value or "" for value in _sealed_of(row)])
    sealed = None if text == _NOTHING else identity.seal(text.encode(), event.event_id)
    return (identity.person, sealed, *_written_of(row))


def full_row(row: Row, identity: Identity) -> Row:
    """The row of libs.storage.event_row.EVENT_COLUMNS of one of ROW_COLUMNS."""
    return _named((identity.profile_id, *_opened(row, identity), *row[2:]))  # type: ignore[no-any-return]  # a tuple


def decode_row(row: Row, identity: Identity) -> Event:
    """The event of a row of ROW_COLUMNS."""
    return decode(full_row(row, identity))


def decode_rows(rows: Iterable[Row], identities: Mapping[int, Identity]) -> list[Event]:
    """The events of rows of ROW_COLUMNS; those of nobody any more are left out."""
    return [decode_row(row, identities[row[PERSON]]) for row in rows if row[PERSON] in identities]


def _opened(row: Row, identity: Identity) -> list[Any]:
    sealed = row[1]
    if sealed is None:
        return ["", "", "", "", None]
    values: list[Any] = identity.open(sealed, row[_EVENT_ID]).decode().split(_BETWEEN)
    values[-1] = values[-1] or None
    return values
