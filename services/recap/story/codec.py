"""Between the messages of StoryService and the domain's values."""

from collections.abc import Sequence
from typing import Final

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.domain.identifiers import check_id
from libs.faults import BatchTooLarge, InvalidField
from libs.serving.decision_codec import part_messages
from libs.serving.decoding import enum_value
from reprise.recap.v1 import story_pb2
from services.recap.story.story import KnownBeat, Series, Story, StoryLength
from services.recap.story.teller import StoryQuery

MOST_EPISODES: Final = 200
# So that a page of whole episodes stays a message of reasonable size.
MOST_EPISODE_BYTES: Final = 1_000_000

_DEFAULT_IMPORTANCE: Final = 0.5


def episodes(messages: Sequence[story_pb2.EpisodeBeats]) -> list[EpisodeBeats]:
    """The domain's values; raises InvalidField by the path in the request, or BatchTooLarge."""
    if not messages:
        raise InvalidField("episodes", f"must be 1 to {MOST_EPISODES}, are none")
    if len(messages) > MOST_EPISODES:
        raise BatchTooLarge("episodes", most=MOST_EPISODES, given=len(messages))
    decoded: dict[str, EpisodeBeats] = {}
    for place, message in enumerate(messages):
        try:
            one = _episode(message)
            if one.episode_id in decoded:
                raise InvalidField("episode_id", "is given twice")
        except InvalidField as fault:
            raise fault.within(f"episodes[{place}]") from None
        decoded[one.episode_id] = one
    return list(decoded.values())


def _episode(message: story_pb2.EpisodeBeats) -> EpisodeBeats:
    check_id("episode_id", message.episode_id)
    if message.ByteSize() > MOST_EPISODE_BYTES:
        raise InvalidField("beats", f"must be at most {MOST_EPISODE_BYTES} bytes")
    beats = []
    for place, one in enumerate(message.beats):
        try:
            beats.append(_beat(one))
        except InvalidField as fault:
            raise fault.within(f"beats[{place}]") from None
    return EpisodeBeats(message.episode_id, tuple(beats))


def _beat(message: story_pb2.Beat) -> Beat:
    relations = []
    for place, one in enumerate(message.relations):
        try:
            relations.append(Relation(one.from_character, one.to_character, one.kind))
        except InvalidField as fault:
            raise fault.within(f"relations[{place}]") from None
    return Beat(
        start_ms=message.start_ms,
        end_ms=message.end_ms,
        text=message.text,
        characters=tuple(message.characters),
        relations=tuple(relations),
        importance=(message.importance if message.HasField("importance") else _DEFAULT_IMPORTANCE),
        thumbnail_ms=(
            message.thumbnail_ms if message.HasField("thumbnail_ms") else message.start_ms
        ),
    )


def episode_message(value: EpisodeBeats) -> story_pb2.EpisodeBeats:
    """The message of the domain's value."""
    return story_pb2.EpisodeBeats(
        episode_id=value.episode_id,
        beats=[
            story_pb2.Beat(
                start_ms=beat.start_ms,
                end_ms=beat.end_ms,
                text=beat.text,
                characters=beat.characters,
                relations=map(_relation_message, beat.relations),
                importance=beat.importance,
                thumbnail_ms=beat.thumbnail_ms,
            )
            for beat in value.beats
        ],
    )


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
        characters=[
            story_pb2.StoryCharacter(
                name=one.name, beat_count=one.beat_count, last_episode_id=one.last_episode_id
            )
            for one in story.cast.characters
        ],
        relations=map(_relation_message, story.cast.relations),
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


def _masked(series: Series, place: int) -> story_pb2.MaskedEpisode:
    title = series.episodes[place]
    return story_pb2.MaskedEpisode(
        episode_id=title.title_id,
        season_number=title.season_number,
        episode_number=title.episode_number,
    )


def _relation_message(value: Relation) -> story_pb2.Relation:
    return story_pb2.Relation(
        from_character=value.from_character, to_character=value.to_character, kind=value.kind
    )
