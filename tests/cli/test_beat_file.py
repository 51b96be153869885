import json
from pathlib import Path

import pytest

from cli.beat_file import BadBeat, BeatFile, parse
from libs.domain.beat import MOST_BEATS
from libs.faults import StartFault
from libs.storage.recap.beat_json import beat_value
from tests.made_beats import DURATION_MS, SERIES_ID, saga, told

EPISODES = [told(title) for title in saga().values() if title.parent_id]


def line(episode_id: str = "saga-1-1", start_ms: int = 0, end_ms: int = 10, **more: object) -> str:
    value = {"series_id": SERIES_ID, "episode_id": episode_id, "start_ms": start_ms}
    return json.dumps(value | {"end_ms": end_ms, "text": "x"} | more)


def bad_lines(*lines: str) -> list[int]:
    return [bad.line for bad in parse("\n".join(lines).encode()).bad]


def test_beats_come_in_any_order_and_episodes_as_wholes_too() -> None:
    key = {"series_id": SERIES_ID}
    lines = [
        json.dumps(key | {"episode_id": "saga-1-1"} | beat_value(beat))
        for beat in reversed(EPISODES[0].beats)
    ]
    beats = [beat_value(beat) for beat in EPISODES[1].beats]
    lines.insert(3, json.dumps(key | {"episode_id": "saga-1-2", "beats": beats}))
    file = parse(("\ufeff" + "\r\n\r\n".join(lines) + "\n").encode())
    assert not file.bad
    assert [one.episode for one in file.episodes] == EPISODES[:2]
    assert file.episodes[0].beat_lines == (17, 15, 13, 11, 9, 5, 3, 1)
    assert file.against(saga()) == []


def test_an_episode_line_without_beats_takes_them_back() -> None:
    file = parse(json.dumps({"series_id": "s", "episode_id": "e", "beats": []}).encode())
    assert not file.bad
    assert file.episodes[0].episode.beats == ()


def test_every_bad_line_is_told() -> None:
    whole = json.dumps({"series_id": SERIES_ID, "episode_id": "saga-1-2", "beats": [{}, 7, {}]})
    found = bad_lines(
        line(),
        "{",
        line(start_ms=5),  # overlaps the first
        "[1]",
        line(mood="sad"),
        line("saga-1-2"),
        whole,  # was begun by the line before
        line("saga-1-1", 20, 30, series_id="other"),
        '{"series_id": 7}',
        '{"episode_id": "e"}',
        line("saga-1-3", 9, 9),
        "\x00",
        "[" * 100_000,
    )
    assert found == [2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]


def test_every_bad_beat_of_an_episode_line_is_told() -> None:
    value = {"series_id": SERIES_ID, "episode_id": "e", "beats": [{}, 7, {"start_ms": 1}]}
    assert parse(json.dumps(value).encode()).bad == (
        BadBeat(1, "beats[0].start_ms: is missing"),
        BadBeat(1, "beats[1]: must be an object"),
        BadBeat(1, "beats[2].end_ms: is missing"),
    )


def test_what_is_not_text_is_told() -> None:
    file = parse(line().encode() + b'\n{"text": "\xff"}')
    assert file.bad == (BadBeat(2, "line: is not UTF-8"),)


def test_an_overlap_names_both_lines() -> None:
    [bad] = parse("\n".join([line(start_ms=5, end_ms=20), line()]).encode()).bad
    assert bad.line == 1
    assert "line 2" in bad.problem


def test_more_beats_than_an_episode_may_have_are_told_one_by_one() -> None:
    lines = [line(start_ms=n, end_ms=n + 1) for n in range(MOST_BEATS + 2)]
    assert bad_lines(*lines) == [MOST_BEATS + 1, MOST_BEATS + 2]


def test_an_empty_file_holds_no_beats() -> None:
    assert bad_lines("", "  ") == [1]


def test_what_does_not_fit_the_catalogue_is_told_by_line() -> None:
    lines = [
        line(),
        line("nobody"),
        line("saga-1-1", 20, DURATION_MS + 1),
        line("saga-1-2", series_id="other"),
        line("saga-1-3", 0, DURATION_MS),
    ]
    file = parse("\n".join(lines).encode())
    assert not file.bad
    found = file.against(saga())
    assert [bad.line for bad in found] == [2, 3, 4]
    assert str(DURATION_MS) in found[1].problem


def test_subtitles_and_files_that_are_not_there_are_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("e1.srt", "e1.VTT", "nowhere.jsonl"):
        with pytest.raises(StartFault) as caught:
            BeatFile.read(tmp_path / name)
        assert "\n" not in str(caught.value)
