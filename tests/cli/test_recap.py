import json

import pytest

from cli.console import Output
from cli.recap import Ask, show
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


def test_the_question_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    show(Ask("p"), QUESTION, Output.open(as_json=True))
    people = json.loads(capsys.readouterr().out)["people"]
    assert [(one["person_id"], one["is_kids"]) for one in people] == [
        ("adult-1", False),
        ("kids", True),
    ]
