import dataclasses

import pytest

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.viewing import Surface
from libs.faults import InvalidField
from libs.serving.decision_codec import decision, decision_message, purpose
from reprise.common.v1 import purpose_pb2

FULL = Decision(
    page_id="page",
    profile_id="p1",
    decided_ms=1_760_000_000_123,
    policy="mmr",
    title_ids=("t1", "t2"),
    propensities=(1.0, 0.25),
    surface=Surface.HOME,
    purpose=Purpose.PREVIEW,
    model_version="v1",
    index_version="v2",
    degraded=(Part.RANKER, Part.EVENTS),
    removed_title_ids=("t3",),
    removed_reasons=("thumbed_down",),
    arm="b",
)


def test_a_message_gives_back_the_decision_that_it_was_made_of() -> None:
    assert all(getattr(FULL, field.name) for field in dataclasses.fields(FULL))
    assert decision(decision_message(FULL)) == FULL


def test_an_unspecified_purpose_is_live() -> None:
    assert purpose(0, "purpose") is Purpose.LIVE


def test_more_parts_than_there_are_is_refused() -> None:
    message = decision_message(FULL)
    message.degraded.extend([purpose_pb2.PART_RANKER] * 7)
    with pytest.raises(InvalidField, match="at most 6") as refused:
        decision(message)
    assert refused.value.field == "degraded"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("page_id", "", "page_id"),
        ("surface", 77, "surface"),
        ("purpose", 77, "purpose"),
        ("decided_at", None, "decided_at"),
    ],
)
def test_a_bad_field_is_named(field: str, value: object, named: str) -> None:
    message = decision_message(FULL)
    if value is None:
        message.ClearField("decided_at")
    else:
        setattr(message, field, value)
    with pytest.raises(InvalidField) as refused:
        decision(message)
    assert refused.value.field == named
