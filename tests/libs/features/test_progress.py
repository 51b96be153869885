from random import Random

from hypothesis import given
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind
from libs.domain.title import Title, TitleKind
from libs.features.profile_state import replay
from libs.features.progress import Progress, episode_ids, progress
from tests.made_events import START_MS, event_lists, watch


def episode(title_id: str, season: int, number: int) -> Title:
    return Title(
        title_id,
        TitleKind.EPISODE,
        title_id,
        parent_id="series",
        season_number=season,
        episode_number=number,
    )


SERIES = Title("series", TitleKind.SERIES, "S")
TITLES = (episode("title0", 1, 2), episode("title1", 1, 1), SERIES, episode("title2", 2, 1))
PARTS = episode_ids(TITLES)["series"]


def whole(event_id: str, title_id: str) -> Event:
    return watch(event_id, START_MS, title_id=title_id, to_ms=10_000, kind=EventKind.COMPLETE)


def test_episodes_are_in_the_order_of_seasons_and_numbers() -> None:
    assert PARTS == ("title1", "title0", "title2")
    assert "series" not in PARTS


def test_specials_have_no_place_in_the_order_of_numbered_seasons() -> None:
    special = episode("special", 0, 1)
    assert episode_ids([special, *TITLES])["series"] == PARTS
    assert episode_ids([special, SERIES])["series"] == ("special",)


def test_a_skipped_episode_ends_the_prefix() -> None:
    found = progress(replay([whole("a", "title1"), whole("b", "title2")]), PARTS)
    assert found == Progress(("title1",), "title0", 0, 0)
    assert found.is_begun
    assert not found.is_complete


def test_the_episode_under_way_says_where_it_was_left_and_how_far_it_is_known() -> None:
    events = [
        whole("a", "title1"),
        watch("b", START_MS + 1, title_id="title0", from_ms=0, to_ms=3_000),
        watch("c", START_MS + 2, title_id="title0", from_ms=5_000, to_ms=6_000),
    ]
    assert progress(replay(events), PARTS) == Progress(("title1",), "title0", 3_000, 6_000)


def test_a_jump_to_the_end_is_not_seen() -> None:
    jump = watch("a", START_MS, from_ms=9_900, to_ms=10_000, kind=EventKind.COMPLETE)
    assert progress(replay([jump]), ("title0",)) == Progress((), "title0", 0, 10_000)


def test_all_episodes_seen_is_complete() -> None:
    events = [whole(title_id, title_id) for title_id in PARTS]
    assert progress(replay(events), PARTS).is_complete
    assert not progress(replay([]), PARTS).is_begun


@given(event_lists(profile_count=1, title_count=3), st.randoms(use_true_random=False))
def test_progress_depends_on_the_set_of_events_alone(some: list[Event], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert progress(replay(shuffled), PARTS) == progress(replay(some), PARTS)
