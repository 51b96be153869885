import itertools
import json

import pytest

from libs.domain.title import TitleKind
from libs.simulation.beat_file import beat_lines
from libs.simulation.beats import Story
from libs.simulation.world import World, build_world


@pytest.fixture(scope="module")
def stories(world: World) -> list[Story]:
    series = [title for title in world.titles if title.kind is TitleKind.SERIES]
    return [world.story(title.title_id) for title in series]


def test_every_episode_has_beats_within_it_in_order(world: World, stories: list[Story]) -> None:
    lengths = {title.title_id: title.duration_ms for title in world.titles}
    for story in stories:
        row = world.catalogue.row_of[story.series_id]
        episodes = [episode.title_id for episode in world.catalogue.episodes[row]]
        assert [episode.episode_id for episode in story.episodes] == episodes
        for episode in story.episodes:
            assert len(episode.beats) >= 8
            assert episode.beats[-1].end_ms < lengths[episode.episode_id]
            for before, after in itertools.pairwise(episode.beats):
                assert before.end_ms <= after.start_ms


def test_a_text_names_just_its_characters(stories: list[Story]) -> None:
    for story in stories:
        names = [one.name for one in story.introductions]
        for episode in story.episodes:
            for beat in episode.beats:
                assert {name for name in names if name in beat.text} == set(beat.characters)
                for relation in beat.relations:
                    assert {relation.from_character, relation.to_character} <= set(beat.characters)


def test_nobody_is_named_before_the_introduction(stories: list[Story]) -> None:
    for story in stories:
        places = {episode.episode_id: n for n, episode in enumerate(story.episodes)}
        first = {one.name: (places[one.episode_id], one.start_ms) for one in story.introductions}
        assert len(first) == len(story.introductions) >= 3
        seen: set[str] = set()
        for number, episode in enumerate(story.episodes):
            for beat in episode.beats:
                for name in beat.characters:
                    assert (number, beat.start_ms) >= first[name]
                    if name not in seen:
                        assert (number, beat.start_ms) == first[name]
                seen |= set(beat.characters)


def test_somebody_comes_later_in_most_stories(stories: list[Story]) -> None:
    late = [
        any(one.episode_id != story.episodes[0].episode_id for one in story.introductions)
        for story in stories
        if len(story.episodes) > 4
    ]
    assert sum(late) > 0.8 * len(late) > 0


def test_who_does_not_survive_never_comes_back(stories: list[Story]) -> None:
    lost = 0
    for story in stories:
        gone: set[str] = set()
        for beat in (beat for episode in story.episodes for beat in episode.beats):
            assert not gone & set(beat.characters)
            if "does not survive" in beat.text or "leaves for good" in beat.text:
                gone |= set(beat.characters)
                assert beat.importance > 0.7
        lost += len(gone)
    assert lost > 10


def test_relations_are_learned_and_some_change(stories: list[Story]) -> None:
    kinds = {
        relation.kind
        for story in stories
        for episode in story.episodes
        for beat in episode.beats
        for relation in beat.relations
    }
    assert {"enemy", "sister", "rival"} <= kinds


def test_little_is_told_twice_in_the_same_words(stories: list[Story]) -> None:
    for story in stories:
        texts = [beat.text for episode in story.episodes for beat in episode.beats]
        assert len(set(texts)) > 0.9 * len(texts)


def test_the_same_seed_tells_the_same_story(world: World, stories: list[Story]) -> None:
    again = build_world(world.config)

    assert again.story(stories[3].series_id) == stories[3]


def test_only_a_series_has_a_story(world: World) -> None:
    movie = next(title for title in world.titles if title.kind is TitleKind.MOVIE)

    with pytest.raises(ValueError, match="no series"):
        world.story(movie.title_id)
    with pytest.raises(KeyError):
        world.story("nothing")


def test_the_file_has_a_line_for_each_beat_that_says_all_of_it(stories: list[Story]) -> None:
    story = stories[0]
    lines = [json.loads(line) for line in beat_lines(story)]

    beats = [(one.episode_id, beat) for one in story.episodes for beat in one.beats]
    assert len(lines) == len(beats)
    for line, (episode_id, beat) in zip(lines, beats, strict=True):
        assert (line.pop("series_id"), line.pop("episode_id")) == (story.series_id, episode_id)
        assert line.keys() == set(beat.__dataclass_fields__)
        assert line["text"] == beat.text
        assert tuple(line["characters"]) == beat.characters
        assert [tuple(one.values()) for one in line["relations"]] == [
            (one.from_character, one.to_character, one.kind) for one in beat.relations
        ]
