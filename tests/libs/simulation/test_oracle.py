import numpy as np
import pytest

from libs.domain.event import EventKind, WatchedInterval
from libs.domain.viewing import Device, ViewingContext
from libs.simulation.choice import SEARCH_SHARE, SLATE_SIZES, choose, draw_by_weight, draw_depth
from libs.simulation.config import DAY_MS, SimulationConfig, Stream
from libs.simulation.histories import ProfileHistory
from libs.simulation.logging_policy import build_policy, draw_slate, logits
from libs.simulation.tastes import DEVICES
from libs.simulation.world import World

SATURDAY_NOON_MS = 1_766_836_800_000  # 2025-12-27T12:00Z


def test_the_oracle_ranks_what_is_engaged_with_above_popularity(
    config: SimulationConfig, world: World, histories: list[ProfileHistory]
) -> None:
    """NDCG@10 of titles first watched to at least half after a cut, over profiles with any."""
    cut_ms = config.until_ms - 21 * DAY_MS
    row_of = {title_id: row for row, title_id in enumerate(world.recommendable_ids)}
    before = np.zeros((len(histories), len(row_of)))
    after = np.zeros_like(before)
    for index, history in enumerate(histories):
        for event in history.events:
            if isinstance(event.detail, WatchedInterval) and event.kind is not EventKind.SEEK:
                watched = event.detail
                share = (watched.to_ms - watched.from_ms) / watched.duration_ms
                target = before if event.occurred_ms < cut_ms else after
                target[index, row_of[event.title_id.partition("-")[0]]] += share

    scores: list[tuple[float, float]] = []
    for index in range(len(histories)):
        relevant = (after[index] >= 0.5) & (before[index] == 0)
        if relevant.any():
            unseen = np.where(before[index] == 0, 1.0, 0.0)
            oracle = world.oracle(index, cut_ms) * unseen
            scores.append((_ndcg(oracle, relevant), _ndcg(before.sum(axis=0) * unseen, relevant)))
    oracle_mean, popularity_mean = np.mean(scores, axis=0)
    assert len(scores) > 30
    assert oracle_mean > 1.5 * popularity_mean
    assert oracle_mean > 0.35


def _ndcg(scores: np.ndarray, relevant: np.ndarray) -> float:
    discounts = 1 / np.log2(np.arange(2, 12))
    best = np.argsort(-scores, kind="stable")[:10]
    return float((relevant[best] * discounts).sum() / discounts[: relevant.sum()].sum())


def test_the_oracle_agrees_with_what_happens_on_many_pages(world: World) -> None:
    index, at_ms = 2, SATURDAY_NOON_MS
    profile, preferences = world.profiles[index], world.preferences(index)
    context = ViewingContext(time_zone=profile.time_zone, device=Device.TV, country=profile.country)
    expected = world.oracle(index, at_ms, context)

    rng = np.random.default_rng(11)
    policy = build_policy(preferences, rng=world.config.rng(Stream.POLICY, index))
    device, daypart = DEVICES.index(Device.TV), 5  # 09:00 in São Paulo, a weekend
    shares = preferences.taste.interest_shares[preferences.week(at_ms), daypart]
    worths = [
        np.exp(preferences.utilities(at_ms, interest, device, daypart))
        for interest in range(len(shares))
    ]
    likes = [preferences.like_probabilities(at_ms, interest) for interest in range(len(shares))]
    scores = logits(policy, preferences, at_ms)
    happened, pages = np.zeros(len(expected)), 4_000
    for _ in range(pages):
        slate = draw_slate(scores, SLATE_SIZES[device], rng)
        seen = slate.rows[: draw_depth(len(slate.rows), rng)]
        interest = draw_by_weight(shares, rng)
        position = choose(worths[interest], seen, rng)
        if position is not None:
            row = int(seen[position])
        elif rng.random() < SEARCH_SHARE:
            row = draw_by_weight(worths[interest], rng)
        else:
            continue
        happened[row] += likes[interest][row] / pages

    assert profile.time_zone == "America/Sao_Paulo"
    assert expected.sum() == pytest.approx(happened.sum(), abs=0.02)
    assert np.abs(expected - happened).sum() / 2 < 0.05
    assert np.corrcoef(expected, happened)[0, 1] > 0.98


def test_probabilities_are_zero_just_where_a_title_is_not_available(world: World) -> None:
    for index in range(0, 60, 7):
        expected = world.oracle(index, SATURDAY_NOON_MS)
        available = world.preferences(index).is_available(SATURDAY_NOON_MS)

        assert (expected[available] > 0).all()
        assert (expected[~available] == 0).all()
        assert expected.sum() <= 1


def test_the_device_changes_what_is_likely(world: World) -> None:
    lengths = world.catalogue.traits.duration_ms
    mean_ms = {}
    for device in (Device.PHONE, Device.TV):
        sums = sum(
            world.oracle(
                index,
                SATURDAY_NOON_MS,
                ViewingContext(time_zone=world.profiles[index].time_zone, device=device),
            )
            for index in range(20)
        )
        mean_ms[device] = float((sums * lengths).sum() / np.sum(sums))

    assert mean_ms[Device.PHONE] < 0.9 * mean_ms[Device.TV]


def test_tastes_drift_but_stay_recognisable(world: World) -> None:
    assert len(world.taste(0).interests) == world.config.week_count
    turns = []
    for index in range(30):
        interests = world.taste(index).interests  # (w, k, d)
        turns.append(float(np.median(np.sum(interests[0] * interests[-1], axis=-1))))

    assert 0.6 < np.median(turns) < 0.995
