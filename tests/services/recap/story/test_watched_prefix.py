import pytest

from libs.features.profile_state import replay
from services.recap.story.watched_prefix import RECUT_MS, known_until_ms, watched_prefix
from tests.made_beats import DURATION_MS, MINUTE_MS, played

ORDER = ("saga-1-1", "saga-1-2", "saga-1-3")
DURATIONS = dict.fromkeys(ORDER, (DURATION_MS, DURATION_MS))


def test_an_episode_seen_to_its_credits_goes_on_and_keeps_its_end_unknown() -> None:
    state = replay(
        [played("a", "saga-1-1", 0, 37 * MINUTE_MS), played("b", "saga-1-2", 0, 5 * MINUTE_MS)]
    )
    found = watched_prefix(state, ORDER, DURATIONS)
    assert found.until_ms == {"saga-1-1": 37 * MINUTE_MS, "saga-1-2": 5 * MINUTE_MS}
    assert found.progress.next_id == "saga-1-2"


def test_what_comes_after_a_skipped_episode_is_not_known() -> None:
    state = replay([played("a", "saga-1-1"), played("b", "saga-1-3")])
    assert watched_prefix(state, ORDER, DURATIONS).until_ms == {"saga-1-1": DURATION_MS}


def test_episodes_watched_backwards_are_known_when_the_first_is() -> None:
    backwards = [played(one, one) for one in reversed(ORDER)]
    assert watched_prefix(replay(backwards[:2]), ORDER, DURATIONS).until_ms == {}
    assert set(watched_prefix(replay(backwards), ORDER, DURATIONS).until_ms) == set(ORDER)


def test_an_episode_added_in_the_middle_ends_the_prefix_until_it_is_seen() -> None:
    state = replay([played(one, one) for one in ORDER])
    order = ("saga-1-1", "new", "saga-1-2", "saga-1-3")
    found = watched_prefix(state, order, DURATIONS | {"new": (DURATION_MS, 0)})
    assert set(found.until_ms) == {"saga-1-1"}
    assert found.progress.next_id == "new"


def test_a_piece_that_was_skipped_ends_what_is_known_of_its_episode_alone() -> None:
    state = replay(
        [
            played("a", "saga-1-1", 0, MINUTE_MS),
            played("b", "saga-1-1", 3 * MINUTE_MS, DURATION_MS),
            played("c", "saga-1-2"),
        ]
    )
    found = watched_prefix(state, ORDER, DURATIONS)
    assert found.until_ms == {"saga-1-1": MINUTE_MS, "saga-1-2": DURATION_MS}


def test_a_rewatch_changes_nothing() -> None:
    once = [played("a", "saga-1-1"), played("b", "saga-1-2", 0, MINUTE_MS)]
    again = [*once, played("c", "saga-1-1", 0, MINUTE_MS), played("d", "saga-1-2", 0, 1_000)]
    found = watched_prefix(replay(again), ORDER, DURATIONS)
    assert found.until_ms == watched_prefix(replay(once), ORDER, DURATIONS).until_ms


@pytest.mark.parametrize(
    ("prefix_ms", "played_ms", "told_ms", "until_ms"),
    [
        (500_000, 1_000_000, (1_000_000, 1_000_000), 500_000),
        (500_000, 1_000_000, (0, 0), 500_000),  # nobody else knows
        (500_000, 1_000_000, (1_000_000 + RECUT_MS, 0), 500_000 - RECUT_MS),
        (500_000, 1_000_000, (1_000_000, 1_000_001 + RECUT_MS), 0),
        (500_000, 1_000_000, (600_000, 600_000), 0),
        (1_000_000, 1_000_000, (970_000, 0), 970_000),  # all of it, to where the cut ends now
        (1_000_000, 1_000_000, (1_030_000, 0), 1_000_000),
        (10_000, 1_000_000, (970_000, 0), 0),
        (0, 0, (1_000_000, 1_000_000), 0),
    ],
)
def test_less_is_known_of_another_cut(
    prefix_ms: int, played_ms: int, told_ms: tuple[int, int], until_ms: int
) -> None:
    assert known_until_ms(prefix_ms, played_ms, told_ms) == until_ms
