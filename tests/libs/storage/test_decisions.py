"""Decisions, and what impressions take of them, in every store."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.event import DAY_MS, Attribution
from libs.domain.viewing import Surface
from libs.storage.decision_table import KEPT_MS
from libs.storage.recorded import Recorded
from services.events.ports import EventStore
from tests.made_decisions import decision
from tests.made_events import START_MS, impression, watch

TENANT = "default"
NOW_MS = START_MS + 100 * DAY_MS


@pytest.mark.parametrize("decision_first", [True, False])
def test_an_impression_carries_what_its_decision_said(
    store: EventStore, decision_first: bool
) -> None:
    seen = [
        impression("own", START_MS, title_id="title1"),
        impression("not in the slate", START_MS, title_id="title9"),
        impression("of another page", START_MS, page_id="page9"),
        impression("of another profile", START_MS, profile_id="profile1"),
        watch("no impression", START_MS),
    ]
    steps: list[Callable[[], object]] = [
        lambda: store.record_decisions(TENANT, [decision()], NOW_MS),
        lambda: store.record_events(TENANT, seen, NOW_MS),
    ]
    for step in steps if decision_first else reversed(steps):
        step()
    found = {
        event.event_id: event.attribution
        for profile_id in ("profile0", "profile1")
        for event in store.history(TENANT, profile_id, most=9)
    }
    assert found.pop("own") == Attribution("explore", 0.25, "v1", "v2", "arm0")
    assert set(found.values()) == {None}


def test_a_decision_is_stored_once_and_for_thirty_days(store: EventStore) -> None:
    later_ms = NOW_MS + KEPT_MS + 1
    for batch, at_ms, wanted in (
        ([decision(), decision()], NOW_MS, Recorded(1, (1,))),
        ([decision("b")], NOW_MS + KEPT_MS, Recorded(1)),
        ([decision()], NOW_MS + KEPT_MS, Recorded(0, (0,))),
        ([decision(propensities=(1.0, 1.0))], later_ms, Recorded(1)),
    ):
        assert store.record_decisions(TENANT, batch, at_ms) == wanted


def test_what_is_told_of_a_decision_is_all_that_is_kept(store: EventStore) -> None:
    whole = Decision(
        "page0", "profile0", START_MS, "explore", ("title0", "title1"), (0.5, 0.25),
        surface=Surface.HOME, purpose=Purpose.LIVE, model_version="m", index_version="i",
        degraded=(Part.RANKER, Part.CANDIDATES), removed_title_ids=("title2",),
        removed_reasons=("seen",), arm="b",
    )  # fmt: skip
    store.record_decisions(TENANT, [whole], START_MS)
    (told,) = store.decisions_of(TENANT, "profile0")
    assert told == {
        "page_id": "page0",
        "decided_ms": START_MS,
        "purpose": "LIVE",
        "surface": "HOME",
        "policy": "explore",
        "model_version": "m",
        "index_version": "i",
        "arm": "b",
        "degraded": ["RANKER", "CANDIDATES"],
        "title_ids": ["title0", "title1"],
        "propensities": [0.5, 0.25],
        "removed_title_ids": ["title2"],
        "removed_reasons": ["seen"],
    }


def test_an_empty_batch_drops_decisions_that_are_kept_no_longer(store: EventStore) -> None:
    store.record_decisions(TENANT, [decision()], START_MS)
    store.record_decisions(TENANT, [], START_MS + KEPT_MS)
    assert len(store.decisions_of(TENANT, "profile0")) == 1
    store.record_decisions(TENANT, [], START_MS + KEPT_MS + 1)
    assert store.decisions_of(TENANT, "profile0") == []


def test_a_decision_too_far_ahead_is_rejected_alone(store: EventStore) -> None:
    batch = [
        replace(decision("a"), decided_ms=NOW_MS + DAY_MS),
        replace(decision("b"), decided_ms=NOW_MS + DAY_MS + 1),
    ]
    recorded = store.record_decisions(TENANT, batch, NOW_MS)
    assert recorded.recorded_count == 1
    [rejection] = recorded.rejections
    assert (rejection.index, rejection.field) == (1, "decided_at")
    assert store.record_decisions(TENANT, batch[1:], NOW_MS + 1).recorded_count == 1


def test_what_an_impression_carries_outlives_the_decision(store: EventStore) -> None:
    store.record_decisions(TENANT, [decision()], NOW_MS)
    store.record_events(TENANT, [impression("a", START_MS)], NOW_MS)
    store.record_decisions(TENANT, [decision("b")], NOW_MS + 2 * KEPT_MS)
    assert store.history(TENANT, "profile0", most=1)[0].attribution is not None
