"""What to watch tonight: the likeliest titles, why each fits, and which answers gave way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.recap.quiz.belief import Belief
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, SKIP, Answer

SLATE_SIZE: Final = 20
# An answer that fewer titles of the slate keep than this gave way to the others.
KEPT_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class SlateTitle:
    """One title with a reason for each answer that it keeps."""

    title_id: str
    reasons: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Slate:
    """Titles, best first, and the answers that most of them do not keep, in words."""

    titles: tuple[SlateTitle, ...]
    relaxed: tuple[str, ...]


def slate(pool: Pool, belief: Belief, answers: Sequence[Answer], limit: int = SLATE_SIZE) -> Slate:
    """The `limit` likeliest titles; equal ones in Recommend's order."""
    probabilities = belief.probabilities
    best = np.argsort(-probabilities, kind="stable")[:limit]
    said = [answer for answer in answers if answer.option_id not in (DONT_CARE, SKIP)]
    kept = [answer.question.fits[_place(answer)][best] for answer in said]
    reasons = [answer.question.options[_place(answer)].reason for answer in said]
    return Slate(
        titles=tuple(
            SlateTitle(
                title_id=pool.titles[row].title_id,
                reasons=tuple(
                    reason for reason, fits in zip(reasons, kept, strict=True) if fits[position]
                ),
                probability=float(probabilities[row]),
            )
            for position, row in enumerate(best.tolist())
        ),
        relaxed=tuple(
            f"{answer.question.text} {answer.question.options[_place(answer)].text}"
            for answer, fits in zip(said, kept, strict=True)
            if len(best) and fits.mean() < KEPT_SHARE
        ),
    )


def _place(answer: Answer) -> int:
    return answer.question.place_of(answer.option_id)
