"""The board of a quiz: the pool it began with and all that may be asked about it."""

import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from services.recap.quiz.pool import Pool
from services.recap.quiz.question import Question
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.quiz_state import Asked


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """The same for the same pool, catalogue and bundle, on every replica."""

    quiz: Quiz
    by_id: Mapping[str, Question]  # as they stand before any answer

    @classmethod
    def of(cls, quiz: Quiz) -> "Board":
        """The board of a quiz."""
        return cls(quiz, {question.question_id: question for question in quiz.all_questions})

    @property
    def pool(self) -> Pool:
        """The titles that it began with."""
        return self.quiz.pool

    def question(self, asked: Asked) -> Question | None:
        """The question as it was asked; None if the catalogue no longer makes it so."""
        found = self.by_id.get(asked.question_id)
        return found if found is not None and stamp(found) == asked.stamp else None


def stamp(question: Question) -> int:
    """What tells a question from another one under the same id: its words and its options."""
    words = [question.text, *(f"{one.option_id}\0{one.text}" for one in question.options)]
    return zlib.crc32("\0".join(words).encode())


def asked(question: Question) -> Asked:
    """How a state refers to a question."""
    return Asked(question.question_id, stamp(question))


class Boards:
    """Boards made lately: a board is megabytes and takes milliseconds to make, a key is short."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[tuple[object, ...], Board] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> Board | None:
        """The board of a key, if it is still held."""
        board = self._held.get(key)
        if board is not None:
            self._held.move_to_end(key)
        return board

    def put(self, key: tuple[object, ...], board: Board) -> None:
        """Hold a board; the one that was not used for longest makes room."""
        self._held[key] = board
        if len(self._held) > self._most:
            self._held.popitem(last=False)
