"""A file of beats: JSON lines, each one beat or one whole episode; the README has the format."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from libs.domain.beat import MOST_BEATS, Beat, EpisodeBeats
from libs.domain.beat_catalogue import is_series, misfits
from libs.domain.identifiers import check_id
from libs.domain.title import Title
from libs.faults import InvalidField, StartFault
from libs.storage.recap.beat_json import beat_of

_OF_LINE: Final = ("series_id", "episode_id")
_EPISODE_KEYS: Final = frozenset({*_OF_LINE, "beats"})
# Lines of dialogue say who speaks of what, not what happens, and nobody may rewrite them here.
_SUBTITLES: Final = frozenset({".srt", ".vtt", ".ass", ".ssa", ".sub"})


@dataclass(frozen=True, slots=True, order=True)
class BadBeat:
    """A line, counted from 1, that cannot be imported, and why."""

    line: int
    problem: str


@dataclass(slots=True)
class _Episode:
    """An episode in the making: its beats with their lines."""

    series_id: str
    episode_id: str
    line: int
    is_whole: bool  # given by one line
    beats: list[tuple[Beat, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileEpisode:
    """An episode of the file: beats by time, and the line of each; `line` is its first."""

    series_id: str
    episode: EpisodeBeats
    line: int
    beat_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BeatFile:
    """What a file says; nothing of it is to be used where anything is bad."""

    episodes: tuple[FileEpisode, ...]
    bad: tuple[BadBeat, ...]

    @staticmethod
    def read(path: Path) -> "BeatFile":
        """Read it all; raises StartFault, one line, where that cannot be."""
        if path.suffix.lower() in _SUBTITLES:
            raise StartFault(
                f"{path} holds subtitles, and what is said is not what happens:"
                " beats are JSON lines (see the README)"
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StartFault(f"cannot read {path}: {error.strerror}") from None
        return parse(data)

    def against(self, titles: Mapping[str, Title]) -> list[BadBeat]:
        """What does not fit the catalogue, which is `titles` as far as the file names them."""
        found = []
        for one in self.episodes:
            if not is_series(titles, one.series_id):
                problem = f"series_id: no series {one.series_id!r} in the catalogue"
                found.append(BadBeat(one.line, problem))
                continue
            for misfit in misfits(titles, one.series_id, one.episode):
                line = one.line if misfit.place is None else one.beat_lines[misfit.place]
                found.append(BadBeat(line, str(misfit.fault)))
        return sorted(found)


def parse(data: bytes) -> BeatFile:
    """What the bytes of a file say, with every line that is bad."""
    bad: list[BadBeat] = []
    making: dict[str, _Episode] = {}
    for line, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if text.strip():
            try:
                bad.extend(_take(making, line, _object(text)))
            except InvalidField as fault:
                bad.append(BadBeat(line, str(fault)))
    episodes = []
    for one in making.values():
        kept, faults = _without_overlaps(one)
        bad.extend(faults)
        told = EpisodeBeats(one.episode_id, tuple(beat for beat, _ in kept))
        lines = tuple(line for _, line in kept)
        episodes.append(FileEpisode(one.series_id, told, one.line, lines))
    if not making and not bad:
        bad.append(BadBeat(1, "the file holds no beats"))
    return BeatFile(tuple(episodes), tuple(sorted(bad)))


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except UnicodeDecodeError:
        raise InvalidField("line", "is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidField("line", f"is not JSON: {error.msg} at {error.colno}") from None
    except (ValueError, RecursionError):
        raise InvalidField("line", "is not JSON that can be read") from None
    if not isinstance(value, dict):
        raise InvalidField("line", "must be an object")
    return value


def _take(making: dict[str, _Episode], line: int, value: dict[str, Any]) -> Iterator[BadBeat]:
    """Put what a line says into the episodes in the making; what of it is bad."""
    series_id, episode_id = (_id(value, key) for key in _OF_LINE)
    is_whole = "beats" in value
    one = making.setdefault(episode_id, _Episode(series_id, episode_id, line, is_whole))
    if one.series_id != series_id:
        raise InvalidField("series_id", f"was {one.series_id!r} for it in line {one.line}")
    if one.line != line and (is_whole or one.is_whole):
        raise InvalidField("episode_id", f"was given as a whole, see line {one.line}")
    if not is_whole:
        rest = {key: part for key, part in value.items() if key not in _OF_LINE}
        one.beats.append((beat_of(rest), line))
        return
    for key in value:
        if key not in _EPISODE_KEYS:
            raise InvalidField(key, f"is not known; known are {', '.join(sorted(_EPISODE_KEYS))}")
    if not isinstance(value["beats"], list):
        raise InvalidField("beats", "must be a list")
    for place, part in enumerate(value["beats"]):
        try:
            if not isinstance(part, dict):
                raise InvalidField("", "must be an object")
            one.beats.append((beat_of(part), line))
        except InvalidField as fault:
            yield BadBeat(line, str(fault.within(f"beats[{place}]")))


def _id(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise InvalidField(key, "must be a text" if key in value else "is missing")
    return check_id(key, found)


def _without_overlaps(one: _Episode) -> tuple[list[tuple[Beat, int]], list[BadBeat]]:
    """The beats by time, as many as an episode may have, and what is wrong with the others."""
    kept: list[tuple[Beat, int]] = []
    bad: list[BadBeat] = []
    for beat, line in sorted(one.beats, key=lambda pair: (pair[0].start_ms, pair[1])):
        before, line_before = kept[-1] if kept else (None, 0)
        if before is not None and beat.start_ms < before.end_ms:
            problem = f"{beat.start_ms} is before the end of line {line_before}'s, {before.end_ms}"
            bad.append(BadBeat(line, f"start_ms: {problem}: beats must not overlap"))
        elif len(kept) == MOST_BEATS:
            bad.append(BadBeat(line, f"beats: must be at most {MOST_BEATS} of an episode"))
        else:
            kept.append((beat, line))
    return kept, bad
