"""Fits the quiz part: which questions about taste are asked, and what their answers tell."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.models.taste_model import TasteModel
from libs.models.taste_question import AnswerBook, TasteQuestion
from training.opinions import Opinions
from training.taste_choice import Trial, chosen, one_hot
from training.taste_questions import Counts, proposed

# An answer or a title that fewer profiles stand behind is left out: means over so few would tell
# of single ones, and would be mostly chance.
LEAST_PROFILES: Final = 20

_BLOCK: Final = 500
# Eras tell most where they may be asked about; without them the others must do, so both are
# chosen by themselves, and the belief decides which is asked.
_ERA: Final = "era"
# What each costs more than the one that was chosen before it. Without it those are asked first that
# tell most of all titles (MovieLens 1M, 1,200 people, NDCG@10 after 5 and 10 answers: .430 and .446
# instead of .438 and .452).
_STEP_BITS: Final = 0.03


@dataclass(frozen=True, slots=True)
class TasteConfig:
    """How many questions there are to choose from, how many are kept, what is looked at."""

    counts: Counts = field(default_factory=Counts)
    kept_questions: int = 14
    kept_eras: int = 3
    trial_profiles: int = 1_600  # whose lists decide what is kept
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
    shares = title_shares(known, kept)
    questions = proposed(ids, titles, support[kept], shares, config.counts, rng)
    if not questions:
        return None
    book = AnswerBook.of(questions, ids, titles)
    places = np.arange(len(known), dtype=np.int64)
    if len(places) > config.most_profiles:
        places = np.sort(rng.choice(places, config.most_profiles, replace=False))
    own = known.of_rows(kept)
    moments = _moments(book, questions, own, places, config.rounds, rng)
    model = TasteModel("", trained_until_ms, ids, questions, *moments.finished())
    supported = _supported(model, moments.count / config.rounds)
    return None if supported is None else _useful(supported, titles, own, config, rng)


def _useful(
    model: TasteModel,
    titles: Mapping[str, Title],
    known: Opinions,
    config: TasteConfig,
    rng: np.random.Generator,
) -> TasteModel:
    """The model of the few questions that make the best lists together."""
    count = min(len(known), config.trial_profiles)
    places = np.sort(rng.choice(len(known), count, replace=False))
    seen, liked, other = known.halves(places, rng)
    answers = AnswerBook.of(model.questions, model.title_ids, titles).answers(seen, liked)
    trial = Trial.of(model, answers, seen, other)
    eras = [place for place, one in enumerate(model.questions) if one.kind == _ERA]
    others = [place for place, one in enumerate(model.questions) if one.kind != _ERA]
    kept = [
        (place, _STEP_BITS * step)
        for places_of, most in ((others, config.kept_questions), (eras, config.kept_eras))
        for step, place in enumerate(chosen(trial, places_of, most))
    ]
    useful = model.of_questions([place for place, _ in kept])
    asked = zip(useful.questions, kept, strict=True)
    return dataclasses.replace(
        useful,
        questions=tuple(dataclasses.replace(one, cost_bits=bits) for one, (_, bits) in asked),
    )


def title_shares(known: Opinions, kept: NDArray[np.int64]) -> NDArray[np.float64]:
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
