from pathlib import Path

import pytest

from cli.console import Output
from cli.quiz import Ask, option_of, quiz
from cli.share import Wanted
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from reprise.recap.v1 import quiz_pb2

QUESTION = quiz_pb2.Question(
    question_id="genre",
    options=[
        quiz_pb2.QuestionOption(option_id="o0", text="Drama"),
        quiz_pb2.QuestionOption(option_id="else", text="Something else"),
    ],
)


@pytest.mark.parametrize(
    ("given", "option_id"),
    [
        ("1", "o0"),
        (" 2 ", "else"),
        ("else", "else"),
        ("0", "dont_care"),
        ("-", "dont_care"),
        ("q", "skip"),
        ("skip", "skip"),
    ],
)
def test_an_answer_is_a_number_an_id_or_a_word(given: str, option_id: str) -> None:
    assert option_of(QUESTION, given) == option_id


@pytest.mark.parametrize("given", ["", "3", "-1", "drama", "²", "1.0"])
def test_anything_else_is_told_in_one_line(given: str) -> None:
    with pytest.raises(StartFault, match="is no answer: a number up to 2, 0 or q"):
        option_of(QUESTION, given)


def test_without_a_keyboard_answers_are_asked_for_before_anything_is_called() -> None:
    with pytest.raises(StartFault, match="give --answers"):
        quiz(SuiteSettings(), Ask(), Output.open(as_json=True))


@pytest.mark.parametrize("ask", [Ask(profile_id="p"), Ask(pack_id="detective")])
def test_images_of_what_cannot_be_shared_are_refused_before_anything_is_asked(
    ask: Ask, tmp_path: Path
) -> None:
    with pytest.raises(StartFault, match="--out needs --profile and --pack"):
        quiz(SuiteSettings(), ask, Output.open(as_json=True), Wanted(tmp_path))
