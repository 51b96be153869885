import dataclasses
from typing import Any

import pytest

from libs.domain.decision import MAX_TITLES, Decision, Part
from libs.faults import InvalidField

DECISION = Decision("page", "p1", 1, "mmr", ("t1", "t2"), (1.0, 0.25), model_version="v1")
MANY = ("t",) * (MAX_TITLES + 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"page_id": ""}, "page_id"),
        ({"profile_id": "p\x00"}, "profile_id"),
        ({"decided_ms": -1}, "decided_at"),
        ({"policy": "p" * 1_000_000}, "policy"),
        ({"policy": "p\ud800"}, "policy"),
        ({"model_version": "v\x00"}, "model_version"),
        ({"index_version": "v" * 129}, "index_version"),
        ({"degraded": (Part.RANKER,) * (len(Part) + 1)}, "degraded"),
        ({"title_ids": ("t1", "")}, "title_ids"),
        ({"title_ids": ("t1", "t\n")}, "title_ids"),
        ({"title_ids": ("t1", "ü\u202e")}, "title_ids"),
        ({"title_ids": ("t1", "t" * 129)}, "title_ids"),
        ({"title_ids": MANY, "propensities": (1.0,) * len(MANY)}, "title_ids"),
        ({"propensities": (1.0,)}, "propensities"),
        ({"propensities": (1.0, 0.0)}, "propensities"),
        ({"propensities": (1.0, float("nan"))}, "propensities"),
        ({"removed_title_ids": ("",), "removed_reasons": ("seen",)}, "removed_title_ids"),
        ({"removed_title_ids": MANY, "removed_reasons": MANY}, "removed_title_ids"),
        ({"removed_title_ids": ("t3",), "removed_reasons": ()}, "removed_reasons"),
        ({"removed_title_ids": ("t3",), "removed_reasons": ("r" * 129,)}, "removed_reasons"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        dataclasses.replace(DECISION, **changes)
    assert caught.value.field == field


def test_titles_may_have_any_letters() -> None:
    assert dataclasses.replace(DECISION, title_ids=("t1", "wüste")).title_ids[1] == "wüste"


def test_a_slate_may_be_as_long_as_the_candidates_are_many() -> None:
    titles = MANY[1:]
    longest = dataclasses.replace(
        DECISION,
        title_ids=titles,
        propensities=(1.0,) * MAX_TITLES,
        removed_title_ids=titles,
        removed_reasons=("seen",) * MAX_TITLES,
    )
    assert len(longest.title_ids) == MAX_TITLES
