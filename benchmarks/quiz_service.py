"""The quiz over all services: latency of its first question, the next ones and the result."""

import itertools
import statistics
import time
from collections import Counter
from contextlib import closing
from typing import Any, Final

import grpc
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from cli.present import recorded_log
from cli.suite import running, target, with_free_ports
from libs.serving.settings import SuiteSettings
from reprise.common.v1 import viewing_pb2
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc

QUIZZES: Final = 300
WARM_UP: Final = 30
GOALS_MS: Final = {"start": 10.0, "next": 5.0, "result": 15.0}
CALL_S: Final = 10.0


def run() -> dict[str, Any]:
    """Play quizzes with random answers on the data and bundle in var/, one call at a time."""
    settings = SuiteSettings()
    with closing(recorded_log(settings)) as log:
        profile_ids = sorted(one.profile_id for one in log.profiles("default"))
    figures: dict[str, Any] = {"machine": machine(), "quizzes": QUIZZES, "goals_ms": GOALS_MS}
    with (
        running(with_free_ports(settings)) as suite,
        grpc.insecure_channel(target(suite.settings, "recap")) as channel,
    ):
        stub = quiz_pb2_grpc.QuizServiceStub(channel)
        named = itertools.cycle(profile_ids)
        for who, profiles in (("named", named), ("anonymous", itertools.repeat(""))):
            _played(stub, profiles, WARM_UP, f"warm-{who}")
            figures[who] = _played(stub, profiles, QUIZZES, f"bench-{who}-{time.time_ns()}")
    _show(figures)
    return figures


def _played(
    stub: quiz_pb2_grpc.QuizServiceStub, profiles: Any, count: int, prefix: str
) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    spent: dict[str, list[float]] = {name: [] for name in GOALS_MS}
    asked: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    token_bytes: list[int] = []
    for number in range(count):
        profile_id = next(profiles)
        start = quiz_pb2.StartQuizRequest(
            quiz_id=f"{prefix}-{number}",
            profile_id=profile_id,
            context=viewing_pb2.ViewingContext(device=viewing_pb2.DEVICE_TV),
        )
        began = time.perf_counter()
        step: Any = stub.StartQuiz(start, timeout=CALL_S)
        spent["start"].append(time.perf_counter() - began)
        answers = 0
        while not step.HasField("result"):
            kinds[step.question.kind] += 1
            token_bytes.append(len(step.state))
            options = [option.option_id for option in step.question.options]
            answer = quiz_pb2.AnswerQuizQuestionRequest(
                quiz_id=start.quiz_id,
                profile_id=profile_id,
                state=step.state,
                question_id=step.question.question_id,
                option_id=str(rng.choice([*options, "dont_care"])),
            )
            began = time.perf_counter()
            step = stub.AnswerQuizQuestion(answer, timeout=CALL_S)
            took = time.perf_counter() - began
            spent["result" if step.HasField("result") else "next"].append(took)
            answers += 1
        asked[answers] += 1
    return {
        "ms": {
            name: {
                "p50": 1000 * statistics.median(found),
                "p99": 1000 * float(np.percentile(found, 99)),
                "calls": len(found),
            }
            for name, found in spent.items()
            if found
        },
        "asked": dict(sorted(asked.items())),
        "asked_mean": float(np.mean(list(asked.elements()))),
        "kinds": dict(kinds.most_common()),
        "state_bytes": statistics.median(token_bytes) if token_bytes else 0,
    }


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"The quiz, one call at a time, random answers (n = {QUIZZES} each)")
    for column in ("", "who", "p50 ms", "p99 ms", "goal p50", "calls"):
        table.add_column(column, justify="right")
    console = Console()
    for who in ("named", "anonymous"):
        for name, row in figures[who]["ms"].items():
            table.add_row(
                name,
                who,
                f"{row['p50']:.1f}",
                f"{row['p99']:.1f}",
                f"{GOALS_MS[name]:g}",
                f"{row['calls']:,}",
            )
    console.print(table)
    for who in ("named", "anonymous"):
        found = figures[who]
        console.print(
            f"{who}: {found['asked_mean']:.2f} questions a quiz {found['asked']},"
            f" by kind {found['kinds']}; a state has {found['state_bytes']:.0f} bytes"
        )
    console.print(f"[dim]{figures['machine']}[/]")
