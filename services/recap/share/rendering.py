"""Rendering: cards of a recap told anew, from what may leave of them alone."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.recap.share.leaving import Leaving
from services.recap.share.plans import PLANS, QUIZ_PLANS, Names, Plan
from services.recap.share.shared_card import CardKind, SharedCard
from services.recap.share.words import ShareWords, share_words
from services.recap.year.fact import Card, Value

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")


@dataclass(frozen=True, slots=True)
class Preview:
    """What would leave, and the cards that would not.

    `origins` are those of each card's names: the title of its name, a genre's or person's name
    itself. They do not leave.
    """

    cards: tuple[SharedCard, ...]
    omitted_card_ids: tuple[str, ...]
    origins: tuple[tuple[str, ...], ...] = ()


def preview(
    cards: Iterable[Card], card_ids: Sequence[str], leaving: Leaving, words: ShareWords
) -> Preview:
    """The chosen cards in the order that they were chosen in."""
    known = {card.card_id: card for card in cards}
    shared, origins, omitted = [], [], []
    for card_id in card_ids:
        card = known.get(card_id)
        told = None if card is None else _told(card, leaving, words)
        if told is None:
            omitted.append(card_id)
        else:
            shared.append(told[0])
            origins.append(told[1])
    return Preview(tuple(shared), tuple(omitted), tuple(origins))


def remaining(card: SharedCard, origins: Sequence[str], leaving: Leaving) -> SharedCard | None:
    """What may still leave of a card that was shared; None of one that says nothing without.

    Names that may not leave any more are left out, and with them the claim of a rank.
    """
    if not card.names:
        return card
    plans = QUIZ_PLANS.get(card.card_id) or PLANS[card.card_id]
    plan = next(plan for plan in plans if plan.names)
    may_leave = _name_of(plan, leaving)
    names = tuple(
        name
        for name, origin in zip(card.names, origins, strict=True)
        if may_leave(origin) is not None
    )
    if len(names) == len(card.names):
        return card
    if len(names) < plan.least_names:
        return None
    headline = share_words(card.language).partial.get(plan.words, card.headline)
    return replace(card, headline=headline, names=names)


def _told(
    card: Card, leaving: Leaving, words: ShareWords
) -> tuple[SharedCard, tuple[str, ...]] | None:
    if not card.is_shareable:
        return None
    values = {fact.fact_id: fact.value for fact in card.facts}
    for plan in PLANS.get(card.card_id, ()):
        told = by_plan(card.card_id, plan, values, leaving, words)
        if told is not None:
            return told
    return None


def by_plan(
    card_id: str, plan: Plan, values: Mapping[str, Value], leaving: Leaving, words: ShareWords
) -> tuple[SharedCard, tuple[str, ...]] | None:
    """The card by one plan, and the origins of its names; None where too little may leave."""
    figure = _figure(plan, values.get(plan.figure), words)
    names = _names(plan, values, leaving)
    if figure is None or len(names) < plan.least_names:
        return None
    numbers = {name: values[name] for name in plan.numbers if isinstance(values.get(name), int)}
    if len(numbers) < len(plan.numbers):
        return None
    headline, text = words.texts[plan.words]
    if len(names) < sum(fact_id in values for fact_id in plan.names):
        headline = words.partial.get(plan.words, headline)
    if plan.kind is CardKind.ARCHETYPE:
        text = words.lines[str(values[plan.figure])]
    card = SharedCard(
        card_id=card_id,
        kind=plan.kind,
        language=words.language,
        headline=headline,
        figure=figure,
        text=_PLACEHOLDER.sub(lambda found: f"{numbers[found[1]]:,}", text),
        names=tuple(names),
    )
    return card, tuple(names.values())


def _figure(plan: Plan, value: Value | None, words: ShareWords) -> str | None:
    """What is written large; "" for a plan without, None where its fact is missing."""
    if not plan.figure:
        return ""
    if plan.kind is CardKind.ARCHETYPE:
        return words.archetypes.get(str(value))
    if not isinstance(value, int):
        return None
    if plan.figure.endswith(".percent"):
        return f"{value}%"
    return f"{value}×" if plan.figure.endswith(".times") else f"{value:,}"


def _names(plan: Plan, values: Mapping[str, Value], leaving: Leaving) -> dict[str, str]:
    """The names that may leave, each once, to what they are the name of."""
    name_of = _name_of(plan, leaving)
    found: dict[str, str] = {}
    for origin in (str(values[fact_id]) for fact_id in plan.names if fact_id in values):
        name = name_of(origin)
        if name is not None:
            found.setdefault(name, origin)
    return found


def _name_of(plan: Plan, leaving: Leaving) -> Callable[[str], str | None]:
    return {
        Names.TITLES: leaving.title_name,
        Names.GENRES: leaving.genre_name,
        Names.PEOPLE: leaving.person_name,
    }[plan.named]
