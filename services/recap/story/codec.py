"""Between the messages of StoryService and the domain's values."""

from libs.serving.beat_codec import relation_message
from libs.serving.decision_codec import part_messages
from libs.serving.decoding import enum_value
from reprise.recap.v1 import story_pb2
from services.recap.story.cast import Met
from services.recap.story.story import KnownBeat, Series, Story, StoryLength
from services.recap.story.teller import StoryQuery


def query(request: story_pb2.GetStoryRecapRequest, tenant: str) -> StoryQuery:
    """The question that a request means; raises InvalidField."""
    return StoryQuery(
        tenant=tenant,
        profile_id=request.profile_id,
        series_id=request.series_id,
        length=enum_value(StoryLength, request.length or StoryLength.SECONDS_90, "length"),
    )


def story_message(story: Story) -> story_pb2.GetStoryRecapResponse:
    """The response that says it. Of episodes it has ids and numbers, and never a name."""
    masked = [_masked(story.series, place) for place in range(len(story.series.episodes))]
    following = masked[story.next_place :]
    return story_pb2.GetStoryRecapResponse(
        beats=[_story_beat(story.series, one) for one in story.beats],
        characters=[_character(story.series, one) for one in story.cast.characters],
        relations=map(relation_message, story.cast.relations),
        cuts=[
            story_pb2.Cut(
                episode_id=story.series.episodes[cut.place].title_id,
                from_ms=cut.from_ms,
                to_ms=cut.to_ms,
            )
            for cut in story.cuts
        ],
        watched_episode_count=story.next_place,
        next_episode=following[0] if following else None,
        later_episodes=following[1:],
        position_ms=story.position_ms,
        problem=story_pb2.NoStoryReason.ValueType(story.problem),
        degraded=part_messages(story.degraded),
        reading_ms=story.reading_ms,
    )


def _story_beat(series: Series, one: KnownBeat) -> story_pb2.StoryBeat:
    title = series.episodes[one.place]
    return story_pb2.StoryBeat(
        episode_id=title.title_id,
        season_number=title.season_number,
        episode_number=title.episode_number,
        text=one.beat.text,
        start_ms=one.beat.start_ms,
        end_ms=one.beat.end_ms,
        thumbnail_ms=one.beat.thumbnail_ms,
    )


def _character(series: Series, one: Met) -> story_pb2.StoryCharacter:
    title = series.episodes[one.last_place]
    return story_pb2.StoryCharacter(
        name=one.name,
        beat_count=one.beat_count,
        last_episode_id=title.title_id,
        last_season_number=title.season_number,
        last_episode_number=title.episode_number,
    )


def _masked(series: Series, place: int) -> story_pb2.MaskedEpisode:
    title = series.episodes[place]
    return story_pb2.MaskedEpisode(
        episode_id=title.title_id,
        season_number=title.season_number,
        episode_number=title.episode_number,
    )
