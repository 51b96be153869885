"""Questions about what titles are labelled with: genre, mood, energy and company."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recap.quiz.pool import Pool
from services.recap.quiz.question import MOST_OPTIONS, Question, QuestionOption
from services.recap.quiz.title_traits import GENRE, Labels

ELSE: Final = "else"
_ELSE: Final = QuestionOption(ELSE, "Something else", "it is something else")

# A label on less of the belief than this is not worth a place among the answers.
_LEAST_SHARE: Final = 0.01
_MOST_IN_GROUP: Final = MOST_OPTIONS - 1
# Nobody reads more in one answer; of more labels the rarest are "something else".
_MOST_LABELS: Final = MOST_OPTIONS * _MOST_IN_GROUP
_LABELS_BESIDE_ELSE: Final = _MOST_LABELS - _MOST_IN_GROUP


@dataclass(frozen=True, slots=True)
class _Wording:
    text: str
    closer_text: str
    reason: str
    cost_bits: float


_WORDINGS: Final = {
    "mood": _Wording("What mood are you in?", "Which of these moods?", "the mood is {}", 0.05),
    "energy": _Wording("How much energy have you left?", "And closer?", "the pace is {}", 0.05),
    "company": _Wording("Who is watching?", "And who exactly?", "it suits {}", 0.05),
    GENRE: _Wording("What would you like tonight?", "And which of these?", "it is {}", 0.05),
}


def label_questions(pool: Pool) -> tuple[Question, ...]:
    """A question of each kind that the pool's titles differ in, and closer ones within groups."""
    return tuple(
        question
        for kind, wording in _WORDINGS.items()
        if kind in pool.labels
        for question in _of_kind(pool, kind, wording)
    )


def _of_kind(pool: Pool, kind: str, wording: _Wording) -> tuple[Question, ...]:
    labels = _common(pool.labels[kind], pool.prior)
    if len(labels.names) < 2:
        return ()
    groups = _groups(labels, pool.prior)
    questions = [_question(kind, kind, wording.text, labels, groups, wording)]
    shares = labels.carried @ pool.prior
    for group in groups:
        if 1 < len(group) < len(labels.names):
            # Of a large group the commonest are named; the rest are "something else".
            named = sorted(sorted(group, key=lambda place: -shares[place])[:_MOST_IN_GROUP])
            name = f"{kind}:{'+'.join(labels.names[place] for place in named)}"
            closer = tuple((place,) for place in named)
            questions.append(_question(name, kind, wording.closer_text, labels, closer, wording))
    return tuple(questions)


@dataclass(frozen=True, slots=True, eq=False)
class _Common:
    """The labels of a kind that are worth naming."""

    names: tuple[str, ...]  # (l,)
    carried: NDArray[np.bool_]  # (l, n)


def _common(labels: Labels, prior: NDArray[np.float64]) -> _Common:
    """Those on enough of the belief; one on every title tells nothing either."""
    carried = np.ascontiguousarray(labels.carried.T)
    shares = carried @ prior
    kept = np.flatnonzero((shares >= _LEAST_SHARE) & (shares <= 1 - _LEAST_SHARE))
    return _Common(tuple(labels.names[place] for place in kept.tolist()), carried[kept])


def _groups(labels: _Common, prior: NDArray[np.float64]) -> tuple[tuple[int, ...], ...]:
    """Groups of labels to answer by: the rarest joins the one it is most often met with.

    MOST_OPTIONS at most; one less where there are so many labels that some are in none.
    """
    commonest, most = np.argsort(-(labels.carried @ prior), kind="stable"), MOST_OPTIONS
    if len(commonest) > _MOST_LABELS:
        commonest, most = commonest[:_LABELS_BESIDE_ELSE], MOST_OPTIONS - 1
    places = sorted(commonest.tolist())
    groups: list[tuple[int, ...]] = [(place,) for place in places]
    # (g, n) 1 where a title carries one of the group
    carried = labels.carried[places].astype(np.float64)
    while len(groups) > most:
        shares = carried @ prior
        rarest = int(shares.argmin())
        together = carried @ (prior * carried[rarest])
        lift = together / (shares * shares[rarest])
        # Where none has room the smallest one grows above what is wanted.
        sizes = np.array([len(group) for group in groups])
        room = max(_MOST_IN_GROUP - len(groups[rarest]), np.delete(sizes, rarest).min())
        lift[sizes > room] = -1.0
        lift[rarest] = -np.inf
        # A group that is large already tells little more by growing.
        friend = int((lift / shares).argmax())
        kept = [place for place in range(len(groups)) if place not in (rarest, friend)]
        merged = tuple(sorted((*groups[rarest], *groups[friend])))
        groups = [*(groups[place] for place in kept), merged]
        carried = np.vstack((carried[kept], np.maximum(carried[rarest], carried[friend])))
    return tuple(sorted(groups))


def _question(
    question_id: str,
    kind: str,
    text: str,
    labels: _Common,
    groups: tuple[tuple[int, ...], ...],
    wording: _Wording,
) -> Question:
    """Each group is an answer; "something else" stands for titles with other labels only."""
    fits = [np.logical_or.reduce(labels.carried[list(group)]) for group in groups]
    options = [
        _option(kind, place, tuple(labels.names[label] for label in group), wording.reason)
        for place, group in enumerate(groups)
    ]
    others = labels.carried.any(axis=0) & ~np.logical_or.reduce(fits)
    if others.any() and len(options) < MOST_OPTIONS:
        fits.append(others)
        options.append(_ELSE)
    return question_of(question_id, kind, text, options, fits, wording.cost_bits)


@lru_cache(maxsize=4096)
def _option(kind: str, place: int, names: tuple[str, ...], reason: str) -> QuestionOption:
    """The answer that stands for labels; nearly every viewer has the same ones."""
    name = _joined(names)
    label = f"{kind}:{name}" if len(names) == 1 else ""
    return QuestionOption(f"o{place}", _capital(name), reason.format(name), label=label)


def question_of(
    question_id: str,
    kind: str,
    text: str,
    options: Sequence[QuestionOption],
    fits: Sequence[NDArray[np.bool_]],
    cost_bits: float,
) -> Question:
    """A question whose options fit titles or do not: `fits` holds (n,) for each option.

    A title that fits several is taken to be named by any of them alike; one that fits none says
    nothing: all options are as likely.
    """
    fitting = np.array(fits)
    count = fitting.sum(axis=0, dtype=np.float32)
    likelihood = np.full(fitting.shape, 1.0 / len(fitting), np.float32)
    np.divide(fitting, count, out=likelihood, where=count > 0)
    return Question(question_id, kind, text, tuple(options), likelihood, fitting, cost_bits)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
