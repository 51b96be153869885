import pytest

from libs.domain.event import Event, EventKind, Rating, Thumb, ThumbDirection, WatchedInterval
from libs.features.engagement import engagement, is_dislike, is_like, watched_ms
from tests.made_events import START_MS, watch


def opinion_of(kind: EventKind, detail: Rating | Thumb) -> Event:
    return Event("event", "profile", kind, START_MS, title_id="title", detail=detail)


def test_a_share_of_the_title_is_engagement_and_all_of_it_is_the_most() -> None:
    assert engagement(watch("a", START_MS, from_ms=2_000, to_ms=4_500)) == 0.25
    assert engagement(watch("a", START_MS, from_ms=0, to_ms=25_000)) == 1.0


def test_what_a_seek_jumped_over_was_not_watched() -> None:
    seek = Event(
        "a",
        "profile",
        EventKind.SEEK,
        START_MS,
        title_id="title",
        detail=WatchedInterval(0, 9_000, 10_000),
    )
    assert watched_ms(seek) == 0
    assert engagement(seek) == 0.0


@pytest.mark.parametrize(
    ("value", "likes", "dislikes"),
    [(5, True, False), (4, True, False), (3, False, False), (2, False, True), (0, False, True)],
)
def test_stars_are_a_like_or_a_dislike_at_the_ends(
    value: float, likes: bool, dislikes: bool
) -> None:
    event = opinion_of(EventKind.RATING, Rating(value, 5))
    assert (is_like(event), is_dislike(event)) == (likes, dislikes)
    assert engagement(event) == 1.0


def test_a_thumb_taken_back_is_no_opinion() -> None:
    back = opinion_of(EventKind.THUMB, Thumb(ThumbDirection.RETRACTED))
    assert not is_like(back)
    assert not is_dislike(back)
    assert is_like(opinion_of(EventKind.THUMB, Thumb(ThumbDirection.UP)))
    assert is_dislike(opinion_of(EventKind.THUMB, Thumb(ThumbDirection.DOWN)))
