"""Profiles who each like one genre, and a model of taste that was learnt from them."""

import numpy as np

from libs.models.taste_model import TasteModel
from tests.made_titles import GENRES, make_titles
from training.opinions import Opinions
from training.taste_fit import TasteConfig, fit_taste
from training.taste_questions import Counts

TITLES = {title.title_id: title for title in make_titles(140, with_moods=False)}
IDS = tuple(TITLES)
WATCHED = 40


def make_opinions(count: int = 400, *, seed: int = 5) -> Opinions:
    """Profile p likes genre p mod 7: two thirds of what it watched are of it."""
    rng = np.random.default_rng(seed)
    rows = []
    for profile in range(count):
        own = profile % len(GENRES)
        weights = np.where(np.arange(len(IDS)) % len(GENRES) == own, 12.0, 1.0)
        drawn = rng.choice(len(IDS), WATCHED, replace=False, p=weights / weights.sum())
        rows.append(np.sort(drawn))
    flat = np.concatenate(rows).astype(np.int32)
    starts = np.arange(count + 1, dtype=np.int64) * WATCHED
    return Opinions(starts, flat, rng.random(len(flat)) < 0.6, len(IDS))


def make_taste_model(seed: int = 1) -> TasteModel:
    """What 400 of them tell."""
    counts = Counts(titles=10, genres=8, pairs=6, eras=3)
    config = TasteConfig(counts=counts, kept_questions=30, seed=seed)
    model = fit_taste(IDS, TITLES, make_opinions(), config)
    if model is None:
        raise AssertionError("400 profiles are enough")
    return model
