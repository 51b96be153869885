"""Beats as JSON objects: a row of the table and a line of a file alike."""

from collections.abc import Mapping
from typing import Any, Final

from libs.domain.beat import Beat, Relation
from libs.faults import InvalidField

BEAT_KEYS: Final = frozenset(
    {"start_ms", "end_ms", "text", "characters", "relations", "importance", "thumbnail_ms"}
)
_RELATION_KEYS: Final = frozenset({"from_character", "to_character", "kind"})


def beat_value(beat: Beat) -> dict[str, Any]:
    """The object of a beat, every key in it."""
    return {
        "start_ms": beat.start_ms,
        "end_ms": beat.end_ms,
        "text": beat.text,
        "characters": list(beat.characters),
        "relations": [
            {
                "from_character": one.from_character,
                "to_character": one.to_character,
                "kind": one.kind,
            }
            for one in beat.relations
        ],
        "importance": beat.importance,
        "thumbnail_ms": beat.thumbnail_ms,
    }


def beat_of(value: Mapping[str, Any]) -> Beat:
    """The beat of an object; raises InvalidField, also for a key that a beat does not have.

    Only start_ms, end_ms and text are needed.
    """
    _check_keys(value, BEAT_KEYS)
    start_ms = _integer(value, "start_ms")
    return Beat(
        start_ms=start_ms,
        end_ms=_integer(value, "end_ms"),
        text=_text(value, "text"),
        characters=tuple(
            _name(name, f"characters[{place}]")
            for place, name in enumerate(_list(value, "characters"))
        ),
        relations=tuple(
            _relation(one, f"relations[{place}]")
            for place, one in enumerate(_list(value, "relations"))
        ),
        importance=_number(value, "importance", 0.5),
        thumbnail_ms=_integer(value, "thumbnail_ms") if "thumbnail_ms" in value else start_ms,
    )


def _relation(value: object, field: str) -> Relation:
    if not isinstance(value, dict):
        raise InvalidField(field, "must be an object")
    try:
        _check_keys(value, _RELATION_KEYS)
        return Relation(*(_text(value, key) for key in ("from_character", "to_character", "kind")))
    except InvalidField as fault:
        raise fault.within(field) from None


def _check_keys(value: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in value:
        if key not in known:
            raise InvalidField(key, f"is not known; known are {', '.join(sorted(known))}")


def _integer(value: Mapping[str, Any], key: str) -> int:
    found = value.get(key)
    # JSON's true is an int to Python.
    if not isinstance(found, int) or isinstance(found, bool):
        raise InvalidField(key, "must be a whole number" if key in value else "is missing")
    return found


def _number(value: Mapping[str, Any], key: str, default: float) -> float:
    found = value.get(key, default)
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise InvalidField(key, "must be a number")
    return float(found)


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise InvalidField(key, "must be a text" if key in value else "is missing")
    return found


def _name(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidField(field, "must be a text")
    return value


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key, [])
    if not isinstance(found, list):
        raise InvalidField(key, "must be a list")
    return found
