"""The same quizzes over SQLite and over PostgreSQL."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from libs.domain.event import QuizAnswer, Wish
from libs.faults import NotFound
from libs.storage.recap.database import Database
from services.recap.quiz.quiz_state import Asked, QuizState, new_state
from services.recap.quiz.quiz_store import Kept, QuizStore
from tests.made_databases import PostgresDatabases
from tests.made_recap import KINDS, count_rows, made_database, personal_tables_of, waiting

NOW_MS = 1_760_000_000_000
TENANT = "default"
BEGUN = new_state(
    "z",
    "p",
    pack_id="",
    now_ms=NOW_MS,
    bundle_version="b1",
    title_ids=("t1", "t2"),
    scores=np.array([2.0, 1.0], np.float32),
).asking(Asked("mood", 1))


@pytest.fixture(params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_databases: PostgresDatabases
) -> Iterator[Database]:
    with made_database(request.param, tmp_path, postgres_databases) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> QuizStore:
    return QuizStore(database, personal_tables_of(database))


def after(state: QuizState, option_id: str, asked: str = "genre") -> QuizState:
    return state.answering(option_id).asking(Asked(asked, 1))


def answer(
    store: QuizStore, before: QuizState, then: QuizState, now_ms: int = NOW_MS
) -> Kept | None:
    return store.answer(TENANT, before, then, b"", now_ms, lambda *_: "t1", [("t1", 1.0)])


def told(store: QuizStore, now_ms: int = NOW_MS) -> list[str] | None:
    kept = store.read(TENANT, "p", "z", now_ms)
    return None if kept is None else [answered.option_id for answered in kept.state.answers]


def test_of_two_answers_to_one_question_the_first_counts(
    store: QuizStore, database: Database
) -> None:
    store.begin(TENANT, BEGUN, b"", NOW_MS)
    assert answer(store, BEGUN, after(BEGUN, "o1")) is not None
    assert answer(store, BEGUN, after(BEGUN, "o0")) is None
    assert told(store) == ["o1"]
    assert len(waiting(database)) == 1


def test_what_a_quiz_of_nobody_was_told_is_stored_once_somebody_is_named(
    store: QuizStore, database: Database
) -> None:
    nobodys = dataclasses.replace(BEGUN, profile_id="")
    first = after(nobodys, "o1").owned_by("p")
    assert answer(store, first, after(first, "o0", "era")) is not None
    assert told(store) == ["o1", "o0"]
    details = [one.event.detail for one in waiting(database)]
    assert details == [
        QuizAnswer("z", "mood", "o1"),
        QuizAnswer("z", "genre", "o0", (Wish("t1", 1.0),)),
    ]
    assert {one.event.title_id for one in waiting(database)} == {"t1"}


def test_another_quiz_of_that_id_stays_what_it_is(store: QuizStore) -> None:
    store.begin(TENANT, BEGUN, b"", NOW_MS)
    other = dataclasses.replace(BEGUN, title_ids=("t3", "t4"))
    assert answer(store, other, after(other, "o1")) is None
    assert told(store) == []


def test_of_two_that_begin_both_go_on_with_the_first(store: QuizStore) -> None:
    later = dataclasses.replace(BEGUN, title_ids=("t3", "t4"))
    kept = [store.begin(TENANT, state, b"", NOW_MS) for state in (BEGUN, later)]
    assert [one.state.title_ids for one in kept] == [("t1", "t2")] * 2


def test_what_has_expired_is_gone_and_may_begin_anew(store: QuizStore, database: Database) -> None:
    store.begin(TENANT, BEGUN, b"", NOW_MS)
    end_ms = BEGUN.expires_ms
    assert told(store, end_ms - 1) == []
    assert told(store, end_ms) is None
    later = dataclasses.replace(BEGUN, title_ids=("t3", "t4"), expires_ms=end_ms + 1)
    assert store.begin(TENANT, later, b"", end_ms).state.title_ids == ("t3", "t4")
    assert count_rows(database, "quiz") == 1


def test_of_an_erased_profile_nothing_is_read_or_written(
    store: QuizStore, database: Database
) -> None:
    store.begin(TENANT, BEGUN, b"", NOW_MS)
    answer(store, BEGUN, after(BEGUN, "o1"))
    personal = personal_tables_of(database)
    assert personal.erase(TENANT, "p") == 2, "the quiz and its event"
    with pytest.raises(NotFound):
        store.read(TENANT, "p", "z", NOW_MS)
    with pytest.raises(NotFound):
        store.begin(TENANT, BEGUN, b"", NOW_MS)
    with pytest.raises(NotFound):
        answer(store, BEGUN, after(BEGUN, "o1"))
    assert list(personal.export(TENANT, "p")) == []
    assert waiting(database) == []
