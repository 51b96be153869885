from collections.abc import Set
from typing import Any

import numpy as np
import pytest

from cli.quiz_answers import DONT_CARE, QuizAnswers, genre_shares
from libs.faults import StartFault
from reprise.recap.v1 import quiz_pb2
from tests.made_titles import make_titles

TITLES = {title.title_id: title for title in make_titles(14)}
IDS = tuple(TITLES)
SHARES = genre_shares(IDS, TITLES, np.full(len(IDS), 1 / len(IDS)))


def asked(kind: str, *options: quiz_pb2.QuestionOption) -> quiz_pb2.Question:
    named = "+".join(one.title_id for one in options)
    return quiz_pb2.Question(question_id=f"{kind}:{named}", kind=kind, options=options)


def option(option_id: str, **fields: Any) -> quiz_pb2.QuestionOption:
    return quiz_pb2.QuestionOption(option_id=option_id, **fields)


def told(watched: Set[str], liked: Set[str] = frozenset()) -> QuizAnswers:
    halves = [
        np.array([[float(one in held) for one in IDS]], np.float32) for held in (watched, liked)
    ]
    return QuizAnswers(IDS, TITLES, halves[0], halves[1], SHARES)


def of_title(title_id: str) -> quiz_pb2.Question:
    return asked(
        "title", *(option(one, title_id=title_id) for one in ("liked", "seen", "not_seen"))
    )


def test_a_title_is_liked_seen_or_not() -> None:
    first, second, third = IDS[:3]
    person = told({first, second}, {first})
    assert [person.option_id(0, of_title(one)) for one in (first, second, third)] == [
        "liked", "seen", "not_seen",
    ]  # fmt: skip


def test_of_genres_the_one_that_is_watched_most_beyond_its_share_is_named() -> None:
    own = TITLES[IDS[0]].genres[0]
    other = next(genre for genre in SHARES if genre not in TITLES[IDS[0]].genres)
    question = asked("genre", option("o0", text=other), option("o1", text=own))
    assert told({IDS[0]}).option_id(0, question) == "o1"


def test_of_two_titles_the_nearer_one_is_named() -> None:
    own = TITLES[IDS[0]]
    far = next(one for one in IDS if not set(TITLES[one].genres) & set(own.genres))
    question = asked("pair", option("o0", title_id=far), option("o1", title_id=own.title_id))
    assert told({own.title_id}).option_id(0, question) == "o1"


def test_whoever_watched_nothing_does_not_care() -> None:
    question = asked("pair", option("o0", title_id=IDS[0]), option("o1", title_id=IDS[1]))
    assert told(set()).option_id(0, question) == DONT_CARE


def test_a_question_of_moods_is_told_and_not_guessed() -> None:
    question = asked("mood", option("o0", text="Dark"), option("o1", text="Funny"))
    with pytest.raises(StartFault, match="no history answers"):
        told({IDS[0]}).option_id(0, question)
