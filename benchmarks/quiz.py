"""How soon the quiz finds what simulated viewers want, against random questions, and how fast."""

import dataclasses
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.machine import machine
from cli.offline import OfflineSuite, current_bundle
from cli.present import newest_event_ms
from cli.quiz_trial import NEVER_STOP, Outcome, Trial, play
from cli.simulated import remembered_world
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.simulation.world import World
from services.recap.quiz.pool import Pool, prior_of
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.selection import STOP_RULES, StopRules
from services.recap.quiz.title_traits import TitleTraits

TRIALS: Final = 1200
POOL: Final = 500
SEED: Final = 11
ERROR_RATES: Final = (0.0, 0.1, 0.2)
FOUR: Final = StopRules(most_answers=4, sure_mass=NEVER_STOP, least_gain_bits=-NEVER_STOP)
# Without what is nearest to naming the title.
FEELINGS: Final = ("mood", "energy", "company", "genre", "pair")
TIMES: Final = 200


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Slate:
    ids: tuple[str, ...]
    scores: NDArray[np.float64]


def run() -> dict[str, Any]:
    """Draw targets from the tastes of the simulated viewers of var/ and play with each."""
    settings = SuiteSettings()
    at_ms = newest_event_ms(settings)
    world = remembered_world(settings)
    if world is None:
        raise StartFault("what is recorded is not simulated: `reprise simulate` makes it so")
    trials, slates = _draw(world, settings, at_ms)
    bundle = current_bundle(settings).retrieval
    traits = TitleTraits.of(world.titles)
    quizzes = {
        key: Quiz.of(
            Pool.of(
                traits,
                slate.ids,
                slate.scores,
                # To those of whom nothing is known the order is that of what is popular there.
                popularity=-np.arange(len(slate.ids), dtype=np.float64),
                vectors=bundle.unit_vectors[[bundle.row_of[one] for one in slate.ids]],
            )
        )
        for key, slate in slates.items()
    }
    feelings = {key: _only(quiz, FEELINGS) for key, quiz in quizzes.items()}
    catalogue = world.catalogue

    def outcome(of: dict[str, Quiz], rate: float, rules: StopRules, at_random: bool) -> Outcome:
        return play(
            trials, of, catalogue, error_rate=rate, seed=SEED, rules=rules, at_random=at_random
        )

    inside = float(np.mean([one.wish.title_id in slates[one.pool_key].ids for one in trials]))
    none = dataclasses.replace(FOUR, most_answers=0)
    figures: dict[str, Any] = {
        "trials": len(trials),
        "inside_pool": inside,
        "fitted_temperature": _temperature(trials, slates),
        "median_without_questions": outcome(quizzes, 0.0, none, False).median_rank,
        "rates": [],
    }
    table = Table(title=f"Median rank of {len(world.recommendable_ids)} after the answers")
    for column in ("wrong", "4 answers", "feelings only", "with stop rules", "at random"):
        table.add_column(column, justify="right")
    for rate in ERROR_RATES:
        stopped = outcome(quizzes, rate, STOP_RULES, False)
        asked = [len(kinds) for kinds in stopped.kinds]
        row = {
            "wrong": rate,
            "four": outcome(quizzes, rate, FOUR, False).median_rank,
            "feelings": outcome(feelings, rate, FOUR, False).median_rank,
            "stopped": stopped.median_rank,
            "random": outcome(quizzes, rate, FOUR, True).median_rank,
            "asked_mean": float(np.mean(asked)),
            "asked": dict(sorted(Counter(asked).items())),
            "kinds": dict(Counter(kind for kinds in stopped.kinds for kind in kinds)),
        }
        figures["rates"].append(row)
        table.add_row(
            f"{rate:.0%}", *(f"{row[name]:g}" for name in ("four", "feelings", "stopped", "random"))
        )
    figures["gain_bits"] = _gains(quizzes)
    figures["ms"] = _times(traits, next(iter(slates.values())), next(iter(quizzes.values())))
    figures["machine"] = machine()
    console = Console()
    console.print(table)
    console.print(f"[dim]simulated, {len(trials)} anonymous viewers, {inside:.0%} of the targets")
    console.print(f"[dim]among the {POOL} candidates; the others rank last. {figures['machine']}")
    console.print(f"milliseconds, p50 of {TIMES}: {figures['ms']}")
    console.print(f"bits that the best question of a kind tells first: {figures['gain_bits']}")
    return figures


def _draw(
    world: World, settings: SuiteSettings, at_ms: int
) -> tuple[list[Trial], dict[str, _Slate]]:
    """Wishes of random viewers, and what Recommend answers somebody unknown in their place."""
    suite = OfflineSuite(settings, DEFAULT_TENANT, current_bundle(settings))
    rng = np.random.default_rng(SEED)
    trials: list[Trial] = []
    slates: dict[str, _Slate] = {}
    for _ in range(TRIALS):
        wish = world.wish(int(rng.integers(len(world.profiles))), at_ms, rng)
        context = wish.context
        key = f"{context.country} {context.device.name} {context.language} {context.kids}"
        if key not in slates:
            found = suite.lists(["nobody known"], at_ms=at_ms, limit=POOL, context=context)
            made = found["nobody known"]
            slates[key] = _Slate(tuple(made.title_ids), np.asarray(made.scores, np.float64))
        trials.append(Trial(wish, key))
    return trials, slates


def _only(quiz: Quiz, kinds: tuple[str, ...]) -> Quiz:
    kept = tuple(question for question in quiz.bank.questions if question.kind in kinds)
    return dataclasses.replace(quiz, bank=quiz.bank.of(kept, len(quiz.pool.titles)))


def _temperature(trials: list[Trial], slates: dict[str, _Slate]) -> float:
    """What makes the wanted titles likeliest before any answer."""
    tried = np.round(np.arange(0.4, 4.0, 0.1), 1).tolist()
    found = []
    for temperature in tried:
        priors = {key: prior_of(one.scores, temperature) for key, one in slates.items()}
        logs = [
            np.log(priors[trial.pool_key][ids.index(trial.wish.title_id)])
            for trial in trials
            if trial.wish.title_id in (ids := slates[trial.pool_key].ids)
        ]
        found.append(float(np.mean(logs)))
    return float(tried[int(np.argmax(found))])


def _gains(quizzes: dict[str, Quiz]) -> dict[str, float]:
    """The mean over pools of what the best question of each kind would tell as the first."""
    told: dict[str, list[float]] = {}
    for quiz in quizzes.values():
        best: dict[str, float] = {}
        for one in quiz.choice(()).considered:
            best[one.question.kind] = max(best.get(one.question.kind, 0.0), one.gain_bits)
        for kind, gain in best.items():
            told.setdefault(kind, []).append(gain)
    return {kind: round(statistics.fmean(gains), 2) for kind, gains in told.items()}


def _times(traits: TitleTraits, slate: _Slate, quiz: Quiz) -> dict[str, float]:
    question = quiz.choice(()).question
    said = [(question.question_id, question.options[0].option_id)] if question else []
    parts: dict[str, Callable[[], object]] = {
        "start": lambda: Quiz.of(Pool.of(traits, slate.ids, slate.scores)).choice(()),
        "next": lambda: quiz.choice(said),
        "result": lambda: quiz.slate(said),
    }
    # As services do: a process is one core's worth of work.
    with threadpool_limits(limits=1):
        return {name: round(_p50_ms(part), 3) for name, part in parts.items()}


def _p50_ms(part: Callable[[], object]) -> float:
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        part()
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent)
