import json

import pytest

from cli.console import Output
from cli.recap import Ask, show
from cli.title_names import TitleNames
from reprise.common.v1 import purpose_pb2
from reprise.recap.v1 import recap_pb2

QUESTION = recap_pb2.GetRecapResponse(
    level=recap_pb2.RECAP_LEVEL_FULL,
    people=[
        recap_pb2.SharedPerson(
            person_id="adult-1", description="evenings, on the TV, mostly crime", share_ratio=0.7
        ),
        recap_pb2.SharedPerson(
            person_id="kids", description="children's titles", share_ratio=0.3, is_kids=True
        ),
    ],
)


def test_the_question_which_is_you_is_a_table_of_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(Ask("p"), QUESTION, Output.open(as_json=False))
    shown = capsys.readouterr().out
    for word in ("which is you?", "adult-1", "evenings", "70%", "kids", "30%"):
        assert word in shown


def test_what_comes_next_is_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    answer = recap_pb2.GetRecapResponse(
        level=recap_pb2.RECAP_LEVEL_FULL, next_title_ids=["t1", "t2"]
    )
    names = TitleNames({"t1": "The Lorary Sleigh"})
    show(Ask("p"), answer, Output.open(as_json=False), names)
    shown = capsys.readouterr().out
    assert "The Lorary Sleigh" in shown
    assert "t2" in shown


def test_what_a_recap_was_made_without_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    answer = recap_pb2.GetRecapResponse(
        level=recap_pb2.RECAP_LEVEL_LITE, degraded=[purpose_pb2.PART_RANKER]
    )
    show(Ask("p"), answer, Output.open(as_json=False))
    assert "without RANKER" in "".join(capsys.readouterr())
    show(Ask("p"), answer, Output.open(as_json=True))
    assert json.loads(capsys.readouterr().out)["degraded"] == ["RANKER"]


def test_who_watched_nothing_lately_hears_of_the_lifetime(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = recap_pb2.GetRecapResponse(
        level=recap_pb2.RECAP_LEVEL_NONE, problem=recap_pb2.NO_RECAP_REASON_NO_PLAYS
    )
    for ask, is_told in ((Ask("p", year=2025), True), (Ask("p", is_lifetime=True), False)):
        show(ask, answer, Output.open(as_json=False))
        assert ("--lifetime" in capsys.readouterr().out) == is_told


def test_the_question_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    show(Ask("p"), QUESTION, Output.open(as_json=True))
    people = json.loads(capsys.readouterr().out)["people"]
    assert [(one["person_id"], one["is_kids"]) for one in people] == [
        ("adult-1", False),
        ("kids", True),
    ]
