"""Beats: what happens in an episode, told in a sentence or two, at its place."""

import math
from dataclasses import dataclass
from typing import Final

from libs.domain.event import DAY_MS
from libs.domain.identifiers import check_id, check_text
from libs.faults import InvalidField

MOST_BEATS: Final = 500  # of an episode
_MOST_NAMES: Final = 32


@dataclass(frozen=True, slots=True)
class Relation:
    """`from_character` is the `kind` ("sister") of `to_character`."""

    from_character: str
    to_character: str
    kind: str

    def __post_init__(self) -> None:
        for field in ("from_character", "to_character", "kind"):
            check_id(field, getattr(self, field))


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens from start_ms until end_ms of an episode.

    It is revealed when its end has been watched.
    """

    start_ms: int
    end_ms: int
    text: str
    characters: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    importance: float = 0.5  # for the story as a whole, 0 to 1
    thumbnail_ms: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms <= 30 * DAY_MS:
            raise InvalidField("end_ms", "must be after start_ms, which must not be negative")
        if not self.start_ms <= self.thumbnail_ms < self.end_ms:
            raise InvalidField("thumbnail_ms", "must be from start_ms until before end_ms")
        if not self.text.strip():
            raise InvalidField("text", "must not be empty")
        check_text("text", self.text, 600)
        for field in ("characters", "relations"):
            if len(getattr(self, field)) > _MOST_NAMES:
                raise InvalidField(field, f"must have at most {_MOST_NAMES}")
        for place, name in enumerate(self.characters):
            check_id(f"characters[{place}]", name)
        if not (math.isfinite(self.importance) and 0 <= self.importance <= 1):
            raise InvalidField("importance", "must be from 0 to 1")


@dataclass(frozen=True, slots=True)
class EpisodeBeats:
    """All beats of one episode, by time, without overlap."""

    episode_id: str
    beats: tuple[Beat, ...]

    def __post_init__(self) -> None:
        check_id("episode_id", self.episode_id)
        if len(self.beats) > MOST_BEATS:
            raise InvalidField("beats", f"must have at most {MOST_BEATS}")
        for place in range(1, len(self.beats)):
            if self.beats[place].start_ms < self.beats[place - 1].end_ms:
                raise InvalidField(f"beats[{place}].start_ms", "overlaps the beat before it")
