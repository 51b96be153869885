"""What is kept of events goes on from what was kept of others, whatever is between them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.event import Event, EventKind
from libs.features.kept_profile import NOTHING_KEPT, KeptProfile, folded, touched
from libs.features.profile_state import ProfileBase, in_order, replay
from libs.features.watched_days import watched_days
from tests.made_events import START_MS, assert_close, assert_same_state, event_lists, watch


def as_base(kept: KeptProfile) -> ProfileBase:
    return ProfileBase(kept.own, kept.newest_ms, kept.titles)


def together(before: KeptProfile, after: KeptProfile) -> KeptProfile:
    """All rows of both, as tables would hold them."""
    days = {(one.day, one.title_id): one for one in (*before.days, *after.days)}
    return KeptProfile(
        after.event_count,
        after.oldest_ms,
        after.newest_ms,
        after.own,
        {**before.titles, **after.titles},
        {**before.shares, **after.shares},
        [days[key] for key in sorted(days)],
    )


@settings(max_examples=60)
@given(event_lists(most=14, profile_count=1), st.integers(1, 13))
def test_two_parts_are_kept_as_the_whole_is(some: list[Event], cut: int) -> None:
    # As a store folds them: thumbs stay events.
    some = sorted((one for one in some if one.kind is not EventKind.THUMB), key=in_order)
    first, second = some[:cut], some[cut:]
    if not first or not second:
        return
    # What was there of others is not asked for again.
    before = folded(NOTHING_KEPT, second)
    kept, whole = together(before, folded(before, first)), folded(NOTHING_KEPT, some)
    assert (kept.event_count, kept.oldest_ms) == (len(some), some[0].occurred_ms)
    assert_same_state(replay([], as_base(kept)), replay(some))
    assert list(kept.days) == watched_days(some)
    assert kept.shares.keys() == whole.shares.keys()
    for key, (values, at_ms) in kept.shares.items():
        assert at_ms == whole.shares[key][1]
        assert_close(values, whole.shares[key][0])


def test_only_touched_rows_are_given_and_taken() -> None:
    first = folded(NOTHING_KEPT, [watch("a", START_MS, title_id="one")])
    asked = touched([watch("b", START_MS, title_id="two")])
    assert asked.title_ids == asked.shared_title_ids == {"two"}
    second = folded(
        KeptProfile(first.event_count, first.oldest_ms, first.newest_ms, first.own),
        [watch("b", START_MS, title_id="two")],
    )
    assert set(second.titles) == {"two"}
    assert {one.title_id for one in second.days} == {"two"}
    assert second.event_count == 2
