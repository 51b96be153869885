"""Beats as the JSON lines that `reprise import beats` reads."""

import json
from collections.abc import Iterator

from libs.simulation.beats import Story
from libs.storage.recap.beat_json import beat_value


def beat_lines(story: Story) -> Iterator[str]:
    """A line for each beat, without line ends, in the order of the story."""
    for episode in story.episodes:
        place = {"series_id": story.series_id, "episode_id": episode.episode_id}
        for beat in episode.beats:
            yield json.dumps(place | beat_value(beat), ensure_ascii=False)
