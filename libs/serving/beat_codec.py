"""Between the messages of beats and the domain's values."""

from collections.abc import Sequence
from typing import Final

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.domain.identifiers import check_id
from libs.faults import InvalidField
from reprise.recap.v1 import story_pb2

MOST_EPISODES: Final = 200
# So that a page of whole episodes stays a message of reasonable size.
MOST_EPISODE_BYTES: Final = 1_000_000

_DEFAULT_IMPORTANCE: Final = 0.5


def episodes_beats(messages: Sequence[story_pb2.EpisodeBeats]) -> list[EpisodeBeats]:
    """The domain's values; raises InvalidField by the path in the request."""
    if not 1 <= len(messages) <= MOST_EPISODES:
        raise InvalidField("episodes", f"must be 1 to {MOST_EPISODES}, are {len(messages)}")
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
                relations=map(relation_message, beat.relations),
                importance=beat.importance,
                thumbnail_ms=beat.thumbnail_ms,
            )
            for beat in value.beats
        ],
    )


def relation_message(value: Relation) -> story_pb2.Relation:
    """The message of the domain's value."""
    return story_pb2.Relation(
        from_character=value.from_character, to_character=value.to_character, kind=value.kind
    )
