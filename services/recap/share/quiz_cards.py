"""Cards of a curated quiz: what its pack says of the viewer, and titles of its slate.

This is the allowlist of a quiz: answers, reasons, beliefs and the page never leave.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from services.recap.quiz.quiz_result import PackOutcome, QuizResult
from services.recap.share.leaving import Leaving
from services.recap.share.plans import QUIZ_PLANS
from services.recap.share.rendering import Preview, by_plan
from services.recap.share.shared_card import CardKind, SharedCard
from services.recap.share.words import share_words

OUTCOME: Final = "outcome"
TONIGHT: Final = "tonight"

_Told = tuple[SharedCard, tuple[str, ...]]


def quiz_preview(
    result: QuizResult, outcome: PackOutcome, card_ids: Sequence[str], leaving: Leaving
) -> Preview:
    """The chosen cards of a quiz that ended with `outcome`, in the order they were chosen in."""
    told = {OUTCOME: _outcome(outcome), TONIGHT: _tonight(result, outcome.language, leaving)}
    found = [(card_id, told.get(card_id)) for card_id in card_ids]
    shared = [one for _, one in found if one is not None]
    return Preview(
        cards=tuple(card for card, _ in shared),
        omitted_card_ids=tuple(card_id for card_id, one in found if one is None),
        origins=tuple(origins for _, origins in shared),
    )


def _outcome(outcome: PackOutcome) -> _Told:
    card = SharedCard(
        card_id=OUTCOME,
        kind=CardKind.OUTCOME,
        language=outcome.language,
        headline=outcome.pack_name,
        figure=outcome.name,
        text=outcome.text,
    )
    return card, ()


def _tonight(result: QuizResult, language: str, leaving: Leaving) -> _Told | None:
    """The first titles of the slate that may leave."""
    (plan,) = QUIZ_PLANS[TONIGHT]
    title_ids = (one.title_id for one in result.slate.titles)
    free = (title_id for title_id in title_ids if leaving.title_name(title_id) is not None)
    values = dict(zip(plan.names, islice(free, len(plan.names)), strict=False))
    return by_plan(TONIGHT, plan, values, leaving, share_words(language))
