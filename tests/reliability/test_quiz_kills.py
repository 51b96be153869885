"""Answers to quizzes by two replicas over one PostgreSQL, killed while they take them."""

import json
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from random import Random
from typing import Any, cast

import pytest

from libs.domain.event import QuizAnswer
from libs.storage.recap.database import open_server
from services.recap.quiz.quiz_store import QuizStore
from tests.made_databases import PostgresDatabases
from tests.made_recap import personal_tables_of, waiting
from tests.quiz_replica import NOW_MS
from tests.replica import Replica

SEED = 20_261_122
QUIZZES_A_KILL = 5
# About what an answer takes, so that a kill meets it anywhere.
KILL_WITHIN_S = 0.02


@pytest.mark.timeout(1_200)
def test_each_answer_counts_once_whoever_is_killed(
    postgres_databases: PostgresDatabases, kill_count: int
) -> None:
    url, random = postgres_databases.empty(), Random(SEED)
    with closing(open_server(url)), ExitStack() as stack:
        replicas = [stack.enter_context(Replica("tests.quiz_replica", url)) for _ in range(2)]
        kept: dict[str, list[tuple[str, str]]] = {}
        kills = 0
        for number in range(kill_count * QUIZZES_A_KILL):
            names = [f"z{number}", f"p{number}"]
            step = told(random.choice(replicas), names)
            answers = kept.setdefault(names[1], [])
            while step["question"]:
                option_id = random.choice([*step["options"], "dont_care"])
                call = [*names, step["token"], step["question"], option_id]
                answers.append((step["question"], option_id))
                first = random.choice(replicas)
                if kills < kill_count and random.random() < 0.3:
                    first.write(call)
                    threading.Event().wait(random.random() * KILL_WITHIN_S)
                    first.kill()
                    kills += 1
                # Sent again, to either replica, whatever became of it before.
                step = told(random.choice(replicas), call)
                assert told(random.choice(replicas), call) == step
    assert kills == kill_count
    with closing(open_server(url)) as database:
        store = QuizStore(database, personal_tables_of(database))
        events = [one.event for one in waiting(database)]
        for profile_id, answers in kept.items():
            stored = store.read("default", profile_id, f"z{profile_id[1:]}", NOW_MS)
            assert stored is not None
            said = [(one.asked.question_id, one.option_id) for one in stored.state.answers]
            assert said == answers
            assert stored.result, "it is over"
            recorded = [
                (event.detail.question_id, event.detail.answer_id)
                for event in events
                if event.profile_id == profile_id and isinstance(event.detail, QuizAnswer)
            ]
            assert recorded == answers
    assert len(events) == sum(map(len, kept.values()))


def told(replica: Replica, call: Sequence[str]) -> dict[str, Any]:
    replica.write(call)
    return cast("dict[str, Any]", json.loads(replica.read()))
