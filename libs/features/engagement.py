"""What one event weighs: minutes watched, engagement, like and dislike, written once."""

from typing import Final

from libs.domain.event import Event, EventKind, Rating, Thumb, ThumbDirection, WatchedInterval

# A rating of four stars of five is a like, one of two a dislike; between them is neither.
LIKED_RATING: Final = 0.8
DISLIKED_RATING: Final = 0.4

PLAYBACK_KINDS: Final = frozenset(
    {
        EventKind.PLAY,
        EventKind.PROGRESS,
        EventKind.PAUSE,
        EventKind.SEEK,
        EventKind.REWATCH,
        EventKind.STOP,
        EventKind.COMPLETE,
    }
)


def watched_ms(event: Event) -> int:
    """The media time that passed at normal speed; what a SEEK jumped over was not watched."""
    detail = event.detail
    if type(detail) is not WatchedInterval or event.kind is EventKind.SEEK:
        return 0
    return detail.to_ms - detail.from_ms


def engagement(event: Event) -> float:
    """From 0 to 1: the share of the title that the event watched; a rating stands for all of it."""
    detail = event.detail
    if type(detail) is WatchedInterval and event.kind is not EventKind.SEEK:
        return min(1.0, (detail.to_ms - detail.from_ms) / detail.duration_ms)
    return 1.0 if type(detail) is Rating else 0.0


def opinion(event: Event) -> int:
    """+1 for a thumb up or a rating from LIKED_RATING, −1 for the contrary, else 0."""
    detail = event.detail
    if type(detail) is Thumb:
        return thumb_value(detail)
    if type(detail) is Rating:
        share = detail.value / detail.scale
        return int(share >= LIKED_RATING) - int(share <= DISLIKED_RATING)
    return 0


def thumb_value(thumb: Thumb) -> int:
    """+1 up, −1 down, 0 taken back."""
    if thumb.direction is ThumbDirection.RETRACTED:
        return 0
    return 1 if thumb.direction is ThumbDirection.UP else -1


def is_like(event: Event) -> bool:
    """Whether the event says that the viewer liked the title."""
    return opinion(event) > 0


def is_dislike(event: Event) -> bool:
    """Whether the event says that the viewer disliked the title."""
    return opinion(event) < 0
