from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from libs.domain.decision import Decision
from libs.domain.event import DAY_MS, Event
from libs.domain.rejection import Rejection, RejectionReason
from libs.storage.recorded import Recorded, claimed_profile_ids, sift_decisions, sift_events
from tests.made_events import START_MS, event_lists, events, watch

NOW_MS = START_MS + 20 * DAY_MS


@given(
    event_lists(most=8),
    st.lists(st.integers(0, 7)),
    st.sets(st.sampled_from([f"event{place}" for place in range(8)])),
    st.sampled_from(["", "a", "b"]),
)
def test_every_event_is_new_a_duplicate_or_rejected_and_never_two_of_them(
    some: list[Event], repeated: list[int], known_ids: set[str], account_id: str
) -> None:
    batch = [replace(event, account_id=account_id) for event in some]
    batch += [batch[place] for place in repeated if place < len(batch)]
    sifted = sift_events(
        batch, known_ids=known_ids, accounts={"profile0": "a"}, erased_ids=(), now_ms=NOW_MS
    )
    recorded = sifted.recorded
    rejected = [one.index for one in recorded.rejections]
    assert recorded.recorded_count == len(sifted.new)
    assert len(sifted.new) + recorded.duplicate_count + len(rejected) == len(batch)
    assert not set(rejected) & set(recorded.duplicate_indexes)
    told = {*rejected, *recorded.duplicate_indexes}
    assert sifted.new == [event for place, event in enumerate(batch) if place not in told]
    ids = [event.event_id for event in sifted.new]
    assert len(ids) == len(set(ids))
    assert not known_ids & set(ids)
    assert set(recorded.late_indexes) <= set(range(len(batch))) - told


@given(events())
def test_an_event_sent_again_is_a_duplicate_whatever_it_has_become(event: Event) -> None:
    again = replace(event, occurred_ms=NOW_MS + 9 * DAY_MS, account_id="b")
    sifted = sift_events(
        [again],
        known_ids={event.event_id},
        accounts={event.profile_id: "a"},
        erased_ids=(),
        now_ms=NOW_MS,
    )
    assert sifted.recorded == Recorded(0, (0,))


def test_whose_a_profile_is_stays_untold() -> None:
    event = replace(watch("a", START_MS), account_id="mine")
    assert claimed_profile_ids([event, watch("b", START_MS, profile_id="p")]) == {"profile0"}
    [rejection] = sift_events(
        [event], known_ids=(), accounts={"profile0": "secret"}, erased_ids=(), now_ms=NOW_MS
    ).recorded.rejections
    assert rejection.reason is RejectionReason.FOREIGN_PROFILE
    assert "secret" not in rejection.problem


def test_a_batch_within_a_batch_finds_its_places_again() -> None:
    ahead = Rejection(1, RejectionReason.AHEAD, "occurred_at", "must be at most a day ahead")
    unread = Rejection(2, RejectionReason.UNKNOWN_KIND, "kind", "has no value 99")
    recorded = Recorded(2, (3,), (ahead,), (0,)).at([0, 3, 4, 5], [unread])
    assert recorded == Recorded(2, (5,), (unread, replace(ahead, index=3)), (0,))


def test_decisions_are_judged_as_events_are() -> None:
    page = Decision("a", "p", NOW_MS, "policy", ("t",), (1.0,))
    batch = [page, replace(page, page_id="known"), page, replace(page, page_id="c", decided_ms=0)]
    batch.append(replace(page, page_id="d", decided_ms=NOW_MS + DAY_MS + 1))
    sifted = sift_decisions(batch, known_ids={"known"}, erased_ids=(), now_ms=NOW_MS)
    assert sifted.new == [batch[0], batch[3]]
    assert sifted.recorded.duplicate_indexes == (1, 2)
    assert [(one.index, one.field) for one in sifted.recorded.rejections] == [(4, "decided_at")]
