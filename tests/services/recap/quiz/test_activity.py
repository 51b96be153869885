import pytest

from libs.domain.event import DAY_MS, Event, EventKind, WatchedInterval
from libs.domain.title import Title, TitleKind
from libs.features.profile_state import EMPTY, ProfileState, replay
from libs.features.progress import episode_ids
from services.recap.quiz.activity import (
    NEXT_EPISODE_MS,
    PLAYING_MS,
    is_playing,
    next_episode_until_ms,
)

NOW_MS = 1_760_000_000_000
LONG_MS = 1_800_000
TITLES = {
    title.title_id: title
    for title in (
        Title("s", TitleKind.SERIES, "A series"),
        Title("m", TitleKind.MOVIE, "A film"),
        *(
            Title(f"e{n}", TitleKind.EPISODE, f"Part {n}", parent_id="s", episode_number=n)
            for n in (1, 2, 3)
        ),
    )
}
EPISODES = episode_ids(TITLES.values())


def watched(title_id: str, at_ms: int, share: float = 1.0) -> Event:
    return Event(
        f"{title_id}-{at_ms}",
        "p",
        EventKind.STOP,
        at_ms,
        title_id=title_id,
        detail=WatchedInterval(0, round(LONG_MS * share), LONG_MS),
    )


def until(state: ProfileState) -> int:
    return next_episode_until_ms(state, TITLES, EPISODES, NOW_MS)


def test_who_has_done_nothing_neither_plays_nor_waits_for_an_episode() -> None:
    assert not is_playing(EMPTY, NOW_MS)
    assert until(EMPTY) == 0


def test_what_was_heard_of_within_two_minutes_plays() -> None:
    for ago_ms in (0, PLAYING_MS - 1):
        assert is_playing(replay([watched("m", NOW_MS - ago_ms)]), NOW_MS)
    assert not is_playing(replay([watched("m", NOW_MS - PLAYING_MS)]), NOW_MS)


def test_a_player_whose_clock_is_ahead_plays_all_the_same() -> None:
    for ahead_ms in (1, 60_000, DAY_MS):
        state = replay([watched("e1", NOW_MS + ahead_ms)])
        assert is_playing(state, NOW_MS)
        assert until(state) > NOW_MS


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_an_episode_whose_next_one_is_unwatched_keeps_the_quiz_away(share: float) -> None:
    at_ms = NOW_MS - 60_000
    assert until(replay([watched("e1", at_ms, share)])) == at_ms + NEXT_EPISODE_MS
    assert until(replay([watched("e1", at_ms), watched("e2", 1, 0.5)])) > NOW_MS


def test_after_thirty_minutes_it_does_not() -> None:
    assert until(replay([watched("e1", NOW_MS - NEXT_EPISODE_MS)])) == 0


def test_a_last_episode_a_film_and_a_watched_next_one_do_not() -> None:
    at_ms = NOW_MS - 60_000
    assert until(replay([watched("e3", at_ms)])) == 0
    assert until(replay([watched("m", at_ms)])) == 0
    assert until(replay([watched("e1", at_ms), watched("e2", 1)])) == 0


def test_titles_that_the_catalogue_does_not_know_do_not() -> None:
    assert next_episode_until_ms(replay([watched("e1", NOW_MS)]), {}, {}, NOW_MS) == 0
    assert next_episode_until_ms(replay([watched("e1", NOW_MS)]), TITLES, {}, NOW_MS) == 0
