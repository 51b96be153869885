import numpy as np
import pytest

from cli.quiz_trial import NEVER_STOP, Trial, play
from libs.simulation.config import SimulationConfig
from libs.simulation.world import World, build_world
from services.recap.quiz.pool import Pool
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.selection import StopRules
from services.recap.quiz.title_traits import TitleTraits

UNTIL_MS = 1_700_000_000_000
POOL = 200
FOUR = StopRules(most_answers=4, sure_mass=NEVER_STOP, least_gain_bits=-NEVER_STOP)
NONE = StopRules(most_answers=0)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SimulationConfig(until_ms=UNTIL_MS, profile_count=60, title_count=400))


@pytest.fixture(scope="module")
def trials(world: World) -> list[Trial]:
    rng = np.random.default_rng(2)
    return [Trial(world.wish(int(rng.integers(60)), UNTIL_MS - 1, rng), "all") for _ in range(150)]


@pytest.fixture(scope="module")
def quizzes(world: World) -> dict[str, Quiz]:
    """A pool by what draws everybody, as Recommend has it for somebody unknown."""
    appeal = world.catalogue.traits.appeal[-1]
    best = np.argsort(-appeal, kind="stable")[:POOL]
    ids = [world.recommendable_ids[row] for row in best.tolist()]
    pool = Pool.of(TitleTraits.of(world.titles), ids, appeal[best], popularity=appeal[best])
    return {"all": Quiz.of(pool)}


def median(
    world: World,
    trials: list[Trial],
    quizzes: dict[str, Quiz],
    *,
    error_rate: float,
    rules: StopRules = FOUR,
    at_random: bool = False,
) -> float:
    return play(
        trials,
        quizzes,
        world.catalogue,
        error_rate=error_rate,
        seed=1,
        rules=rules,
        at_random=at_random,
    ).median_rank


def test_four_answers_find_what_is_wanted_far_sooner_than_none(
    world: World, trials: list[Trial], quizzes: dict[str, Quiz]
) -> None:
    asked = median(world, trials, quizzes, error_rate=0.1)
    assert asked * 5 < median(world, trials, quizzes, error_rate=0.1, rules=NONE)


def test_well_chosen_questions_find_it_twice_as_soon_as_random_ones(
    world: World, trials: list[Trial], quizzes: dict[str, Quiz]
) -> None:
    asked = median(world, trials, quizzes, error_rate=0.1)
    assert asked * 2 <= median(world, trials, quizzes, error_rate=0.1, at_random=True)


def test_more_wrong_answers_do_harm_but_not_ruin(
    world: World, trials: list[Trial], quizzes: dict[str, Quiz]
) -> None:
    right = median(world, trials, quizzes, error_rate=0.0)
    wrong = median(world, trials, quizzes, error_rate=0.2)
    assert right <= wrong <= median(world, trials, quizzes, error_rate=0.2, rules=NONE) / 3


def test_a_title_outside_of_the_pool_ranks_last(
    world: World, trials: list[Trial], quizzes: dict[str, Quiz]
) -> None:
    made = play(trials, quizzes, world.catalogue, error_rate=0.0, seed=1, rules=FOUR)
    ids = set(quizzes["all"].pool.title_ids)
    outside = np.array([trial.wish.title_id not in ids for trial in trials])
    assert outside.any()
    assert not outside.all()
    np.testing.assert_array_equal(made.ranks[outside], 400)
    assert made.ranks[~outside].max() <= POOL


def test_the_same_seed_plays_the_same(
    world: World, trials: list[Trial], quizzes: dict[str, Quiz]
) -> None:
    one, two = (
        play(trials[:20], quizzes, world.catalogue, error_rate=0.2, seed=3, rules=FOUR)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.ranks, two.ranks)
    assert one.kinds == two.kinds
