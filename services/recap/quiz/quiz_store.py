"""The quizzes of named profiles in a database that replicas share: each answer counts once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libs.domain.event import Event, EventKind, QuizAnswer, Wish
from libs.domain.identifiers import MAX_ID_LENGTH
from libs.faults import NotFound
from libs.storage.recap.database import Database
from libs.storage.recap.outbox_table import add_events
from libs.storage.recap.personal_tables import PersonalTables
from libs.storage.recap.quiz_table import (
    StoredQuiz,
    add_quiz,
    read_quiz,
    remove_expired_quizzes,
    write_quiz,
)
from services.recap.quiz.prompts import event_id_of
from services.recap.quiz.quiz_state import QuizState
from services.recap.quiz.quiz_token import decode, encode


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A quiz as it is stored; `result` is empty until it is over."""

    state: QuizState
    result: bytes


class QuizStore:
    """Quizzes by tenant, profile and quiz_id. Every call raises PartUnavailable."""

    def __init__(self, database: Database, personal: PersonalTables) -> None:
        self._database = database
        self._personal = personal

    def read(self, tenant: str, profile_id: str, quiz_id: str, now_ms: int) -> Kept | None:
        """A quiz that has not expired; raises NotFound for an erased profile."""
        with self._database.read() as connection:
            if self._personal.is_erased(connection, tenant, profile_id):
                raise NotFound("profile", profile_id)
            found = read_quiz(connection, tenant, profile_id, quiz_id)
        return None if found is None or found.expires_ms <= now_ms else _kept(found)

    def begin(self, tenant: str, state: QuizState, result: bytes, now_ms: int) -> Kept:
        """Store a quiz that begins; of two that begin at once both go on with the first.

        Should the machine die at once it may be forgotten: whoever holds its state goes on, and
        the first answer stores it whole. What has a `result` already is kept in any case. Raises
        NotFound for an erased profile.
        """
        write = self._database.write if result else self._database.write_unsynced
        with write() as connection:
            if self._personal.is_erased(connection, tenant, state.profile_id):
                raise NotFound("profile", state.profile_id)
            remove_expired_quizzes(connection, tenant, state.profile_id, now_ms)
            stored = StoredQuiz(state.expires_ms, encode(state), result)
            if add_quiz(connection, tenant, state.profile_id, state.quiz_id, stored):
                return Kept(state, result)
            found = read_quiz(connection, tenant, state.profile_id, state.quiz_id)
        return Kept(state, result) if found is None else _kept(found)

    def answer(
        self,
        tenant: str,
        before: QuizState,
        after: QuizState,
        result: bytes,
        now_ms: int,
        title_of: Callable[[str, str], str],
        wishes: Sequence[tuple[str, float]],
    ) -> Kept | None:
        """Store what one answer has made of `before`, with its event, if that is how it stands.

        A quiz that is not there yet, because it began with nobody named, is stored with all of
        its answers. None when somebody else has answered meanwhile: nothing is changed then.
        `title_of` is the title that an option of a question stands for, or ""; `wishes` are
        what all answers come to. Raises NotFound for an erased profile.
        """
        owner, quiz_id = after.profile_id, after.quiz_id
        with self._database.write() as connection:
            if self._personal.is_erased(connection, tenant, owner):
                raise NotFound("profile", owner)
            remove_expired_quizzes(connection, tenant, owner, now_ms)
            stored = StoredQuiz(after.expires_ms, encode(after), result)
            if add_quiz(connection, tenant, owner, quiz_id, stored):
                first = 0
            else:
                found = read_quiz(connection, tenant, owner, quiz_id, holds=True)
                if found is None or not _stands_at(decode(found.state), before):
                    return None
                first = len(before.answers)
                write_quiz(connection, tenant, owner, quiz_id, stored)
            events = answer_events(after, first, now_ms, title_of, wishes)
            add_events(connection, tenant, events)
        return Kept(after, result)


def answer_events(
    state: QuizState,
    first: int,
    now_ms: int,
    title_of: Callable[[str, str], str],
    wishes: Sequence[tuple[str, float]],
) -> list[Event]:
    """The events of the answers from the place `first` on, under ids that follow from them.

    The last says what all of them come to.
    """
    last = len(state.answers) - 1
    wanted = tuple(Wish(title_id, weight) for title_id, weight in wishes)
    return [
        Event(
            event_id=event_id_of(
                "QUIZ_ANSWER",
                state.profile_id,
                state.quiz_id,
                # One that has expired may begin anew under its id, and ask the same.
                str(state.expires_ms),
                answered.asked.question_id,
            ),
            profile_id=state.profile_id,
            kind=EventKind.QUIZ_ANSWER,
            occurred_ms=now_ms,
            sequence=place,
            title_id=title_of(answered.asked.question_id, answered.option_id),
            context=state.context,
            detail=QuizAnswer(
                state.quiz_id,
                _short(answered.asked.question_id),
                _short(answered.option_id),
                wanted if place == last else (),
            ),
        )
        for place, answered in enumerate(state.answers)
        if place >= first
    ]


def _stands_at(stored: QuizState, before: QuizState) -> bool:
    return stored.beginning == before.beginning and stored.answers == before.answers


def _short(name: str) -> str:
    """As much of a name as an id may have: those of pairs hold two ids."""
    return name if len(name) <= MAX_ID_LENGTH else f"{name[:64]}…{event_id_of(name)}"


def _kept(found: StoredQuiz) -> Kept:
    return Kept(decode(found.state), found.result)
