import json
from typing import Any

import pytest

from libs.faults import InvalidField
from libs.storage.recap.beat_json import beat_of, beat_value
from tests.made_beats import saga, told

LEAST = {"start_ms": 5, "end_ms": 9, "text": "Ann finds the letter."}


def test_a_beat_comes_back_from_json_as_it_was() -> None:
    for title in saga().values():
        if title.parent_id:
            for beat in told(title).beats:
                assert beat_of(json.loads(json.dumps(beat_value(beat)))) == beat


def test_what_is_not_given_has_a_default() -> None:
    beat = beat_of(LEAST)
    assert (beat.thumbnail_ms, beat.importance) == (5, 0.5)
    assert (beat.characters, beat.relations) == ((), ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end_ms": 5}, "end_ms"),
        ({"end_ms": True}, "end_ms"),
        ({"start_ms": 1.5}, "start_ms"),
        ({"start_ms": -1}, "end_ms"),
        ({"text": " "}, "text"),
        ({"text": 7}, "text"),
        ({"text": "x" * 601}, "text"),
        ({"text": "a\u202eb"}, "text"),
        ({"importance": 1.5}, "importance"),
        ({"importance": float("nan")}, "importance"),
        ({"importance": "high"}, "importance"),
        ({"thumbnail_ms": 9}, "thumbnail_ms"),
        ({"characters": "Ann"}, "characters"),
        ({"characters": ["Ann", 7]}, "characters[1]"),
        ({"characters": ["Ann", ""]}, "characters[1]"),
        ({"characters": [f"c{n}" for n in range(33)]}, "characters"),
        ({"relations": ["x"]}, "relations[0]"),
        ({"relations": [{"from_character": "A"}]}, "relations[0].to_character"),
        ({"mood": "sad"}, "mood"),
    ],
)
def test_a_bad_value_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        beat_of(LEAST | change)
    assert caught.value.field == field
