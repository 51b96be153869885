"""Fits the quiz part: which questions about taste there are, and what their answers tell."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.models.taste_model import TasteModel
from libs.models.taste_question import AnswerBook, Facet, TasteQuestion
from training.opinions import Opinions

# An answer or a title that fewer profiles stand behind is left out: means over so few would tell
# of single ones, and would be mostly chance.
LEAST_PROFILES: Final = 20

_OPTIONS: Final = 5
_BLOCK: Final = 500
# Shares of what is watched at which eras begin.
_ERA_SHARES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class TasteConfig:
    """How many questions there are to choose from, and how much is looked at."""

    title_questions: int = 60
    genre_questions: int = 60
    era_questions: int = 12
    most_titles: int = 5_000  # the most watched
    most_profiles: int = 20_000
    rounds: int = 2  # ways to halve each history
    seed: int = 1


def fit_taste(
    title_ids: Sequence[str],
    titles: Mapping[str, Title],
    known: Opinions,
    config: TasteConfig,
    *,
    trained_until_ms: int = 0,
) -> TasteModel | None:
    """What half of a history, asked about, tells of the other half; None from too little.

    `known` is over the rows of `title_ids`. The halves are independent draws of one taste, so the
    model never sees a title on both sides.
    """
    rng = np.random.default_rng(config.seed)
    support = np.bincount(known.rows, minlength=known.row_count)
    kept = np.argsort(-support, kind="stable")[: config.most_titles]
    kept = np.sort(kept[support[kept] >= LEAST_PROFILES])
    if len(kept) == 0 or len(known) < LEAST_PROFILES:
        return None
    ids = tuple(title_ids[row] for row in kept.tolist())
    shares = _shares(known, kept)
    questions = (
        *_title_questions(ids, support[kept], config),
        *_genre_questions(ids, titles, shares, config, rng),
        *_era_questions(ids, titles, shares, config, rng),
    )
    if not questions:
        return None
    book = AnswerBook.of(questions, ids, titles)
    places = np.arange(len(known), dtype=np.int64)
    if len(places) > config.most_profiles:
        places = np.sort(rng.choice(places, config.most_profiles, replace=False))
    moments = _moments(book, questions, known.of_rows(kept), places, config.rounds, rng)
    model = TasteModel("", trained_until_ms, ids, questions, *moments.finished())
    return _supported(model, moments.count / config.rounds)


def _shares(known: Opinions, kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean share (k,) that each of the rows `kept` has of what a profile watches.

    A mean over profiles, not over what they watched: those who watch most watch other things.
    """
    sizes = np.diff(known.starts)
    each = np.repeat(1.0 / np.maximum(sizes, 1), sizes)
    means = np.bincount(known.rows, weights=each, minlength=known.row_count)[kept]
    return np.asarray(means / means.sum())


class _Sums:
    """Sums of answers, watching and their products over histories."""

    def __init__(self, options: int, titles: int) -> None:
        self.count = 0
        self.answers = np.zeros(options)
        self.products = np.zeros((options, options))
        self.cross = np.zeros((titles, options))
        self.watched = np.zeros(titles)

    def add(self, answers: NDArray[np.float32], watched: NDArray[np.float32]) -> None:
        self.count += len(answers)
        self.answers += answers.sum(axis=0)
        self.products += answers.T @ answers
        self.cross += watched.T @ answers
        self.watched += watched.sum(axis=0)

    def finished(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        answers, watched = self.answers / self.count, self.watched / self.count
        return (
            answers.astype(np.float32),
            (self.products / self.count - np.outer(answers, answers)).astype(np.float32),
            (self.cross / self.count - np.outer(watched, answers)).astype(np.float32),
            watched.astype(np.float32),
        )


def _moments(
    book: AnswerBook,
    questions: Sequence[TasteQuestion],
    known: Opinions,
    places: NDArray[np.int64],
    rounds: int,
    rng: np.random.Generator,
) -> _Sums:
    counts = [len(question.option_ids) for question in questions]
    sums = _Sums(sum(counts), known.row_count)
    for _ in range(rounds):
        for begin in range(0, len(places), _BLOCK):
            seen, liked, other = known.halves(places[begin : begin + _BLOCK], rng)
            sums.add(one_hot(book.answers(seen, liked), counts), other)
    return sums


def one_hot(answers: NDArray[np.int64], counts: Sequence[int]) -> NDArray[np.float32]:
    """`answers` (p, q) as (p, o): 1 for the option that was chosen; all 0 for no answer."""
    starts = np.cumsum(counts) - np.array(counts, dtype=np.int64)
    coded = np.zeros((len(answers), sum(counts)), dtype=np.float32)
    lines, asked = np.nonzero(answers >= 0)
    coded[lines, starts[asked] + answers[lines, asked]] = 1.0
    return coded


def _title_questions(
    ids: Sequence[str], support: NDArray[np.int64], config: TasteConfig
) -> list[TasteQuestion]:
    """About what most have watched: of others hardly anybody has an opinion."""
    best = np.argsort(-support, kind="stable")[: config.title_questions]
    return [TasteQuestion(f"title:{ids[row]}", "title", title_id=ids[row]) for row in best.tolist()]


def _genre_questions(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    title_shares: NDArray[np.float64],
    config: TasteConfig,
    rng: np.random.Generator,
) -> list[TasteQuestion]:
    """Genres beside each other, in many ways: each answer sets one against four others."""
    shares: dict[str, float] = {}
    for title_id, share in zip(ids, title_shares.tolist(), strict=True):
        for genre in titles[title_id].genres if title_id in titles else ():
            shares[genre] = shares.get(genre, 0.0) + share
    names = sorted(shares)
    if len(names) < 2:
        return []
    asked: dict[tuple[str, ...], None] = {}
    for _ in range(config.genre_questions):
        drawn = rng.choice(len(names), min(_OPTIONS, len(names)), replace=False)
        asked.setdefault(tuple(names[place] for place in np.sort(drawn)))
    return [
        TasteQuestion(
            f"genre:{'+'.join(chosen)}",
            "genre",
            facets=tuple(Facet(shares[name], genre=name) for name in chosen),
        )
        for chosen in asked
    ]


def _era_questions(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    title_shares: NDArray[np.float64],
    config: TasteConfig,
    rng: np.random.Generator,
) -> list[TasteQuestion]:
    """Spans of years beside each other, cut at different shares of what is watched."""
    dates = [titles[title_id].release_date if title_id in titles else None for title_id in ids]
    years = np.array([date.year if date else 0 for date in dates])
    dated = years > 0
    if not dated.any():
        return []
    order = np.argsort(years[dated], kind="stable")
    ascending, mass = years[dated][order], np.cumsum(title_shares[dated][order])
    asked: dict[tuple[int, ...], None] = {}
    for _ in range(config.era_questions):
        drawn = np.sort(rng.choice(_ERA_SHARES, _OPTIONS - 1, replace=False))
        ends = ascending[np.searchsorted(mass, drawn * mass[-1])]
        asked.setdefault(tuple(np.unique(ends[ends < ascending[-1]]).tolist()))
    return [
        _era_question((int(ascending[0]) - 1, *ends, int(ascending[-1])), years, title_shares)
        for ends in asked
        if ends
    ]


def _era_question(
    edges: tuple[int, ...], years: NDArray[np.int64], title_shares: NDArray[np.float64]
) -> TasteQuestion:
    facets = []
    for before, last in itertools.pairwise(edges):
        share = float(title_shares[(years > before) & (years <= last)].sum())
        facets.append(Facet(share, first_year=before + 1, last_year=last))
    name = "+".join(str(facet.last_year) for facet in facets)
    return TasteQuestion(f"era:{name}", "era", facets=tuple(facets))


def _supported(model: TasteModel, profile_count: float) -> TasteModel | None:
    """The model without questions one of whose options fewer than LEAST_PROFILES chose."""
    chosen = model.option_means * profile_count
    kept = [
        place
        for place, (question, start) in enumerate(
            zip(model.questions, model.starts.tolist(), strict=True)
        )
        if chosen[start : start + len(question.option_ids)].min() >= LEAST_PROFILES
    ]
    return model.of_questions(kept) if kept else None
