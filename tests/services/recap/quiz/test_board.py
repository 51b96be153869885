import dataclasses

from services.recap.quiz.board import Board, Boards, asked, stamp
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.quiz_state import Asked
from tests.services.recap.quiz.made_pools import make_pool

BOARD = Board.of(Quiz.of(make_pool(12)))


def test_the_board_that_was_not_used_for_longest_makes_room() -> None:
    boards = Boards(2)
    for key in ("a", "b"):
        boards.put((key,), BOARD)
    assert boards.get(("a",)) is BOARD
    boards.put(("c",), BOARD)
    assert boards.get(("b",)) is None
    assert boards.get(("a",)) is boards.get(("c",)) is BOARD


def test_a_question_is_found_as_it_was_asked_and_in_no_other_words() -> None:
    for question in BOARD.quiz.all_questions:
        assert BOARD.question(asked(question)) is question
        assert BOARD.question(Asked(question.question_id, stamp(question) ^ 1)) is None
    assert BOARD.question(Asked("nothing", 0)) is None


def test_other_words_or_options_are_another_question() -> None:
    question = BOARD.quiz.all_questions[0]
    first, *others = question.options
    renamed = dataclasses.replace(first, text="Something new")
    changed = (
        dataclasses.replace(question, text="What else?"),
        dataclasses.replace(question, options=(renamed, *others)),
        dataclasses.replace(question, options=(*others, first)),
    )
    assert len({stamp(question), *map(stamp, changed)}) == 4
