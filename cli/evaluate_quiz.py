"""`reprise evaluate quiz`: how good lists are after few answers, for people unknown to training."""

import dataclasses
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.present import recorded_log
from cli.quiz_answers import genre_shares
from cli.quiz_exam import QuizExam
from cli.quiz_suite import without
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.features.catalogue_columns import from_titles, recommendable_ids
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import read_catalogue
from reprise.recap.v1 import quiz_pb2_grpc
from training.evaluation import Interval, bootstrap
from training.labels import row_of_titles
from training.opinions import opinions
from training.taste_fit import title_shares

SEED: Final = 1
SHOWN: Final = (0, 1, 2, 3, 5, 7, 10)


@dataclasses.dataclass(frozen=True, slots=True)
class Quizzing:
    """What to measure."""

    hidden_users: Path
    answers: int = 10
    error_rate: float = 0.0
    seed: int = SEED


@dataclasses.dataclass(frozen=True, slots=True)
class AfterAnswers:
    """NDCG@10 after so many answers, and what it gains over the popular titles, paired."""

    answers: int
    ndcg: Interval
    gain: Interval


@dataclasses.dataclass(frozen=True, slots=True)
class QuizEvaluation:
    """The lists of people whom training never saw; `kinds` counts what was asked by number."""

    hidden_count: int
    people_count: int
    error_rate: float
    popular: Interval
    after: tuple[AfterAnswers, ...]
    kinds: tuple[dict[str, int], ...]


def read_hidden(path: Path) -> tuple[str, ...]:
    """The profile ids of the file, one a line; raises StartFault, one line, where it has none."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StartFault(f"{path} cannot be read: {error}") from error
    ids = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not ids:
        raise StartFault(f"{path} names nobody: one profile id a line is expected")
    return ids


def evaluate_quiz(settings: SuiteSettings, quizzing: Quizzing, output: Output) -> QuizEvaluation:
    """Play the quiz of a suite that has never seen the hidden users with each of them.

    A random half of what a hidden user watched answers and is masked from every list; the other
    half is the truth. The lists are the rankings that the quiz answers, to somebody anonymous.
    Raises StartFault where nobody hidden is in the log, or where there is too little to learn from.
    """
    hidden = read_hidden(quizzing.hidden_users)
    with closing(recorded_log(settings)) as log:
        columns = log.columns(DEFAULT_TENANT, log.newest_event_ms(DEFAULT_TENANT) + 1)
    unknown = sorted(set(hidden) - set(columns.profile_ids))
    if unknown:
        raise StartFault(
            f"{len(unknown)} of {len(hidden)} hidden users have no events, such as {unknown[0]}"
        )
    listed = read_catalogue(settings.catalogue_path, DEFAULT_TENANT)
    titles = {title.title_id: title for title in listed}
    title_ids = recommendable_ids(listed)
    credit = from_titles(listed, title_ids).credit
    rows = row_of_titles(columns, credit.row_of)
    known = opinions(columns, rows, len(title_ids), without=hidden)
    own = opinions(columns, rows, len(title_ids), hidden)
    exam = QuizExam.of(title_ids, titles, own, quizzing.seed)
    shares = title_shares(known, np.arange(len(title_ids)))
    told = exam.answers(genre_shares(title_ids, titles, shares))
    with (
        without(settings, hidden, output) as suite,
        open_channel(suite, "recap") as channel,
        output.progress() as progress,
    ):
        task = progress.add_task("play", total=len(exam.truth))
        played = exam.played(
            quiz_pb2_grpc.QuizServiceStub(channel),
            told,
            answers=quizzing.answers,
            error_rate=quizzing.error_rate,
            seed=quizzing.seed,
            on_done=lambda: progress.advance(task),
        )
    popular = exam.popular(np.bincount(known.rows, minlength=len(title_ids)))
    shown = sorted({*(count for count in SHOWN if count <= quizzing.answers), quizzing.answers})
    return QuizEvaluation(
        hidden_count=len(hidden),
        people_count=len(exam.truth),
        error_rate=quizzing.error_rate,
        popular=bootstrap(popular, quizzing.seed),
        after=tuple(_after(count, played.ndcg[:, count], popular, quizzing) for count in shown),
        kinds=tuple(_ordered(counted) for counted in played.kinds),
    )


def _after(
    count: int, ndcg: NDArray[np.float64], popular: NDArray[np.float64], quizzing: Quizzing
) -> AfterAnswers:
    return AfterAnswers(
        count, bootstrap(ndcg, quizzing.seed), bootstrap(ndcg - popular, quizzing.seed)
    )


def _ordered(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def show(evaluation: QuizEvaluation, output: Output) -> None:
    """Show the lists after each number of answers beside the popular titles."""
    wrong = f", {evaluation.error_rate:.0%} of the answers wrong" if evaluation.error_rate else ""
    table = Table(title=f"NDCG@10 for {evaluation.people_count} people unknown to training{wrong}")
    for name in ("answers", "NDCG@10", "95% of the bootstrap", "gain over popular", "asked"):
        table.add_column(name, justify="left" if name == "asked" else "right")
    table.add_row("popular", f"{evaluation.popular.mean:.4f}", _bounds(evaluation.popular), "–", "")
    for one in evaluation.after:
        kinds = evaluation.kinds[one.answers - 1] if one.answers else {}
        gain = f"{one.gain.mean:+.4f} {_bounds(one.gain)}"
        asked = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        table.add_row(f"{one.answers}", f"{one.ndcg.mean:.4f}", _bounds(one.ndcg), gain, asked)
    output.result(dataclasses.asdict(evaluation), table)


def _bounds(interval: Interval) -> str:
    return f"\\[{interval.low:.3f}, {interval.high:.3f}]"
