"""Beats as the JSON lines that `reprise import beats` reads."""

import json
from collections.abc import Iterator

from libs.domain.beat import Beat
from libs.simulation.beats import Story


def beat_lines(story: Story) -> Iterator[str]:
    """A line for each beat, without line ends, in the order of the story."""
    for episode in story.episodes:
        for beat in episode.beats:
            told = {"series_id": story.series_id, "episode_id": episode.episode_id, **_value(beat)}
            yield json.dumps(told, ensure_ascii=False)


def _value(beat: Beat) -> dict[str, object]:
    return {
        "start_ms": beat.start_ms,
        "end_ms": beat.end_ms,
        "text": beat.text,
        "characters": list(beat.characters),
        "relations": [
            {
                "from_character": relation.from_character,
                "to_character": relation.to_character,
                "kind": relation.kind,
            }
            for relation in beat.relations
        ],
        "importance": beat.importance,
        "thumbnail_ms": beat.thumbnail_ms,
    }
