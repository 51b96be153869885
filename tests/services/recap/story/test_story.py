"""Which beats are known and told, over the features of real events."""

import dataclasses
from collections.abc import Mapping

import pytest

from libs.domain.beat import Beat, EpisodeBeats
from libs.domain.event import Event
from libs.domain.title import Title
from libs.features.profile_state import replay
from libs.features.progress import episode_ids
from libs.storage.recap.beat_table import ToldEpisode, ToldSeries
from services.recap.story.story import NoStoryReason, Series, Story, StoryLength, tell
from services.recap.story.told_series import HeldSeries, held_series, make_terms
from tests.made_beats import DURATION_MS, MINUTE_MS, SERIES_ID, episode, played, saga, told

TITLES = saga()


def held(*episodes: EpisodeBeats, titles: Mapping[str, Title] = TITLES) -> HeldSeries:
    told_episodes = [
        ToldEpisode(one, titles[one.episode_id].duration_ms)
        for one in sorted(episodes, key=lambda one: one.episode_id)
    ]
    return held_series(ToldSeries(1, tuple(told_episodes), make_terms(told_episodes)))


ALL = held(*(told(title) for title in TITLES.values() if title.parent_id))


def story_of(
    *events: Event,
    titles: Mapping[str, Title] = TITLES,
    beats: HeldSeries = ALL,
    length: StoryLength = StoryLength.MINUTES_3,
) -> Story:
    order = episode_ids(titles.values())[SERIES_ID]
    series = Series(tuple(titles[episode_id] for episode_id in order))
    return tell(replay(events), series, beats, length)


def places(story: Story) -> set[int]:
    return {one.place for one in story.beats}


def test_a_beat_across_the_end_of_what_was_watched_is_not_known() -> None:
    five = 5 * MINUTE_MS  # where the first beat ends
    assert not story_of(played("a", "saga-1-1", 0, five - 1)).beats
    assert len(story_of(played("a", "saga-1-1", 0, five)).beats) == 1
    assert len(story_of(played("a", "saga-1-1", 0, 2 * five - 1)).beats) == 1


def test_the_last_tenth_of_a_seen_episode_is_known_only_when_it_was_watched() -> None:
    story = story_of(played("a", "saga-1-1", 0, 38 * MINUTE_MS), played("b", "saga-1-2"))
    ends = {one.beat.end_ms for one in story.beats if one.place == 0}
    assert max(ends) == 35 * MINUTE_MS
    assert story.next_place == 2


def test_specials_are_neither_told_nor_missed() -> None:
    special = dataclasses.replace(episode(0, 1), title_id="special")
    titles = TITLES | {"special": special}
    beats = held(told(special), told(TITLES["saga-1-1"]), titles=titles)
    story = story_of(played("a", "special"), played("b", "saga-1-1"), titles=titles, beats=beats)
    assert places(story) == {0}
    assert story.next_place == 1
    assert "Guest 0x1" not in {one.name for one in story.cast.characters}


def test_a_series_without_numbered_seasons_is_told_in_its_order() -> None:
    titles = {SERIES_ID: TITLES[SERIES_ID]} | {
        title.title_id: title for title in (episode(0, 1), episode(0, 2))
    }
    beats = held(told(titles["saga-0-1"]), told(titles["saga-0-2"]), titles=titles)
    story = story_of(played("a", "saga-0-1"), titles=titles, beats=beats)
    assert places(story) == {0}


def test_an_episode_that_was_cut_anew_is_not_told_from_the_old_minutes() -> None:
    longer = TITLES | {"saga-1-1": episode(1, 1, DURATION_MS + 10 * MINUTE_MS)}
    assert story_of(played("a", "saga-1-1")).beats
    story = story_of(played("a", "saga-1-1"), titles=longer)
    assert story.problem is NoStoryReason.NO_BEATS
    assert not story.cuts


def test_the_next_episode_chooses_among_what_is_known_and_nothing_else() -> None:
    def beats_of(next_text: str) -> HeldSeries:
        first = EpisodeBeats(
            "saga-1-1",
            tuple(
                Beat(
                    place * MINUTE_MS,
                    (place + 1) * MINUTE_MS,
                    text,
                    thumbnail_ms=place * MINUTE_MS,
                )
                for place, text in enumerate(
                    (
                        f"the lighthouse burns {'again and ' * 40}again",
                        f"the wedding is called off {'again and ' * 40}again",
                    )
                )
            ),
        )
        following = EpisodeBeats("saga-1-2", (Beat(0, MINUTE_MS, next_text),))
        return held(first, following)

    for word in ("lighthouse", "wedding"):
        story = story_of(
            played("a", "saga-1-1"), beats=beats_of(f"SECRET {word}"), length=StoryLength.SECONDS_30
        )
        [one] = story.beats
        assert word in one.beat.text
        assert "SECRET" not in str(story.beats) + str(story.cast)


def test_whoever_has_seen_it_all_is_told_it_all_and_nothing_to_go_on_with() -> None:
    events = [played(title.title_id, title.title_id) for title in TITLES.values()]
    story = story_of(*events)
    assert story.next_place == len(story.series.episodes)
    assert story.problem is NoStoryReason.NONE


def test_a_beat_too_long_for_its_time_is_told_where_there_is_no_other() -> None:
    one = EpisodeBeats("saga-1-1", (Beat(0, MINUTE_MS, "雪" * 600),))
    story = story_of(played("a", "saga-1-1"), beats=held(one), length=StoryLength.SECONDS_30)
    assert len(story.beats) == 1


@pytest.mark.parametrize("length", StoryLength)
def test_the_story_is_in_order_and_never_twice(length: StoryLength) -> None:
    events = [played(title.title_id, title.title_id) for title in TITLES.values()]
    beats = story_of(*events, length=length).beats
    keys = [(one.place, one.beat.start_ms) for one in beats]
    assert keys == sorted(set(keys))
