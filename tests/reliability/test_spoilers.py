"""Random progress in random series: nothing is told that was not watched."""

from collections.abc import Iterable
from random import Random
from typing import Final

from libs.features.profile_state import replay
from libs.features.progress import episode_ids
from libs.storage.recap.beat_table import ToldEpisode, ToldSeries
from reprise.recap.v1 import story_pb2
from services.recap.story.codec import story_message
from services.recap.story.story import LENGTHS_MS, Series, StoryLength, tell
from services.recap.story.told_series import held_series, make_terms
from tests.made_stories import SERIES_ID, Known, MadeStory, made_story, walk

SEED: Final = 20_261_122


def test_no_story_passes_what_was_watched(state_count: int) -> None:
    random = Random(SEED)
    told = hidden = whole = 0
    for _ in range(state_count):
        made = made_story(random)
        length = random.choice(list(StoryLength))
        answer = answer_of(made, length)
        known = walk(made)
        check(made, known, answer, LENGTHS_MS[length])
        told += bool(answer.beats)
        hidden += len(known.beats) < sum(len(one.beats) for one in made.beats.values())
        whole += not known.next_id
    # A test that had nothing to tell, or nothing to hide, would prove nothing.
    assert told > state_count / 3
    assert hidden > state_count / 3
    assert whole > state_count / 50


def answer_of(made: MadeStory, length: StoryLength) -> story_pb2.GetStoryRecapResponse:
    """What the service answers: its own state of the events, its own order, its own message."""
    order = episode_ids(made.titles.values()).get(SERIES_ID, ())
    told = [
        ToldEpisode(made.beats[episode_id], made.told_ms[episode_id])
        for episode_id in sorted(made.beats)
    ]
    held = held_series(ToldSeries(1, tuple(told), make_terms(told)))
    series = Series(tuple(made.titles[episode_id] for episode_id in order))
    sent = story_message(tell(replay(made.events), series, held, length)).SerializeToString()
    return story_pb2.GetStoryRecapResponse.FromString(sent)


def check(
    made: MadeStory, known: Known, answer: story_pb2.GetStoryRecapResponse, length_ms: int
) -> None:
    """No beat, name, relation or frame beyond the walk's; no title; nothing longer than asked."""
    may = {(episode_id, beat.start_ms, beat.end_ms, beat.text) for episode_id, beat in known.beats}
    for beat in answer.beats:
        assert (beat.episode_id, beat.start_ms, beat.end_ms, beat.text) in may
        assert beat.thumbnail_ms < known.prefix_ms[beat.episode_id]
    names = {name for _, beat in known.beats for name in beat.characters}
    assert {one.name for one in answer.characters} <= names
    relations = [
        (one.from_character, one.to_character, one.kind)
        for _, beat in known.beats
        for one in beat.relations
    ]
    shown = {(one.from_character, one.to_character, one.kind) for one in answer.relations}
    assert shown <= set(relations)
    for cut in answer.cuts:
        duration_ms = made.titles[cut.episode_id].duration_ms
        assert 0 <= cut.from_ms <= cut.to_ms - 2_000
        assert cut.to_ms <= min(known.prefix_ms[cut.episode_id], duration_ms)
    assert sum(cut.to_ms - cut.from_ms for cut in answer.cuts) <= min(length_ms, 120_000)
    assert answer.reading_ms <= length_ms
    text = str(answer)
    assert "TITLE-OF" not in text
    assert "SYNOPSIS-OF" not in text
    for episode_id, told in made.beats.items():
        for number, hidden in enumerate(told.beats):
            if (episode_id, hidden.start_ms, hidden.end_ms, hidden.text) not in may:
                for secret in ("TEXT", "NAME", "REL"):
                    # The next one's number may begin with this one's.
                    assert f'{secret}-{episode_id}-{number}"' not in text
                    assert f"{secret}-{episode_id}-{number} " not in text
    assert answer.watched_episode_count == known.seen_count
    assert answer.next_episode.episode_id == known.next_id
    if not _is_recut(made):
        # Nothing is hidden that was watched either.
        assert {one.name for one in answer.characters} == names
        assert shown == {(*key, kind) for key, kind in _last(relations).items()}
        assert bool(answer.beats) is bool(may)


def _last(relations: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    return {(one, other): kind for one, other, kind in relations}


def _is_recut(made: MadeStory) -> bool:
    return any(
        len(
            {
                played_ms,
                made.titles[episode_id].duration_ms,
                made.told_ms.get(episode_id, played_ms),
            }
        )
        > 1
        for episode_id, played_ms in made.played_ms.items()
    )
