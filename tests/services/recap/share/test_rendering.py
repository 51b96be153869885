"""What leaves of a card: nothing but what the allowlist names, over 10,000 cases."""

import json
import re
from random import Random
from typing import Final

import pytest

from libs.domain.title import KIDS_MATURITY_YEARS, Person, Title, TitleKind
from services.recap.share.images.typefaces import Typefaces
from services.recap.share.images.writing import prepared
from services.recap.share.leaving import MATURE_YEARS, Leaving
from services.recap.share.plans import PLANS, QUIZ_PLANS, Names
from services.recap.share.rendering import preview, remaining
from services.recap.share.shared_card import CardKind, SharedCard, of_json, to_json
from services.recap.share.words import LANGUAGES, share_words
from services.recap.year import texts
from services.recap.year.fact import Card, Fact, FactKind, fact

CASES: Final = 10_000
SEED: Final = 20_261_122

# All that a card of a recap may hold, by story, "#" a place: as services.recap.year tells them.
FACTS: Final = {
    "minutes": ("total", "days", "plays"),
    "titles": ("count", "movies", "series", "episodes", *("#", "#.minutes")),
    "genres": ("count", "#", "#.minutes"),
    "people": ("#", "#.minutes", "#.titles"),
    "series": ("#", "#.minutes", "#.episodes"),
    "binge": ("title", "minutes", "episodes", "date"),
    "rewatch": ("title", "times"),
    "night": ("percent", "minutes"),
    "release": ("oldest", "oldest.date", "newest", "newest.date"),
    "edges": ("first", "first.date", "last", "last.date"),
    "discoveries": ("count", "#", "#.minutes"),
    "days": (
        *("longest", "longest.minutes", "widest", "widest.titles"),
        *("devoted", "devoted.series", "devoted.episodes"),
        *("comeback", "comeback.away_days", "streak", "streak.days"),
    ),
    "throwbacks": ("#", "#.date"),
    "country": ("code", "percentile", "genre", "genre.tenths"),
    "archetype": ("name", "first", "first.value", "second", "second.value"),
}
# A word that is nowhere in our own texts stands in everything that a fact can tell.
TITLE, GENRE, PERSON, PLACE = "Zqtitle", "Zqgenre", "Zqperson", "Zqplace"


def catalogue(random: Random) -> dict[str, Title]:
    return {
        f"id{number}": Title(
            f"id{number}",
            TitleKind.MOVIE,
            f"{TITLE}{number}",
            maturity_years=random.choice((0, 7, 8, 12, 16, 18, 21)),
            genres=(f"{GENRE}{number % 5}",),
            people=(Person(f"{PERSON}{number % 7}"),),
        )
        for number in range(20)
    }


def made_fact(story: str, fact_id: str, random: Random) -> Fact:
    made = fact(story, fact_id, 0)
    if made.kind is FactKind.TITLE:
        return fact(story, fact_id, f"id{random.randrange(25)}")
    if made.kind is FactKind.DATE:
        return fact(story, fact_id, f"20{random.randrange(10, 30)}-12-31")
    if made.kind is FactKind.NUMBER:
        return fact(story, fact_id, random.randrange(100_000))
    if fact_id == "archetype.name":
        return fact(story, fact_id, random.choice(list(texts.words("en").archetypes)))
    if story == "people":
        return fact(story, fact_id, f"{PERSON}{random.randrange(9)}")
    if story == "country" and fact_id.endswith("code"):
        return fact(story, fact_id, PLACE)
    return fact(story, fact_id, f"{GENRE}{random.randrange(6)}")


def made_card(story: str, random: Random) -> Card:
    """A card with some of its facts, whose own texts tell everything that must not leave."""
    ids = [
        f"{story}.{name.replace('#', str(place))}"
        for name in FACTS[story]
        for place in range(1, 6 if "#" in name else 2)
    ]
    facts = tuple(made_fact(story, one, random) for one in ids if random.random() < 0.8)
    titles = tuple(str(one.value) for one in facts if one.kind is FactKind.TITLE)
    told = f"{PLACE} on 2026-12-31 at 23:59: {', '.join(titles)}, viewer p000001"
    return Card(story, told, told, facts, titles, random.random() < 0.9)


def free_names(rules: Leaving) -> tuple[set[str], set[str], set[str]]:
    """By the rules as the README says them, not as the code does."""
    free = [
        title
        for title in rules.titles.values()
        if KIDS_MATURITY_YEARS < title.maturity_years < MATURE_YEARS
        and title.title_id not in rules.hidden_ids
    ]
    return (
        {title.name for title in free},
        {genre for title in free for genre in title.genres},
        {person.name for title in free for person in title.people},
    )


def test_nothing_outside_the_allowlist_leaves_in_10000_cases() -> None:
    random = Random(SEED)
    told, omitted = 0, 0
    for _ in range(CASES):
        titles = catalogue(random)
        hidden = frozenset(random.sample(sorted(titles), random.randrange(6)))
        rules = Leaving(titles, hidden)
        card = made_card(random.choice(list(FACTS)), random)
        words = share_words(random.choice(LANGUAGES))
        made = preview([card], [card.card_id], rules, words)
        told += len(made.cards)
        omitted += len(made.omitted_card_ids)
        for shared in made.cards:
            check(shared, card, rules)
    assert told > CASES / 4
    assert omitted > CASES / 10


def test_what_may_not_leave_any_more_leaves_shared_cards_in_10000_cases() -> None:
    random = Random(SEED)
    shortened, withdrawn = 0, 0
    for _ in range(CASES):
        rules = Leaving(catalogue(random), frozenset({f"id{random.randrange(20)}"}))
        card = made_card(random.choice(list(PLANS)), random)
        made = preview([card], [card.card_id], rules, share_words(random.choice(LANGUAGES)))
        later = Leaving(
            {key: one for key, one in catalogue(random).items() if random.random() < 0.8},
            rules.hidden_ids,
        )
        names = set().union(*free_names(later))
        for shared, origins in zip(made.cards, made.origins, strict=True):
            assert remaining(shared, origins, rules) == shared
            left = remaining(shared, origins, later)
            expected = tuple(name for name in shared.names if name in names)
            least = max((plan.least_names for plan in PLANS[card.card_id] if plan.names), default=0)
            assert (left is None) == (bool(shared.names) and len(expected) < least)
            withdrawn += left is None
            if left is not None:
                assert left.names == expected
                shortened += len(expected) < len(shared.names)
                partial = share_words(shared.language).partial
                if len(expected) < len(shared.names) and card.card_id in partial:
                    assert left.headline == partial[card.card_id]
    assert shortened > CASES / 20
    assert withdrawn > CASES / 20


def test_a_card_has_one_plan_with_names() -> None:
    for plans in PLANS.values():
        assert sum(bool(plan.names) for plan in plans) <= 1


def check(shared: SharedCard, card: Card, rules: Leaving) -> None:
    assert card.is_shareable
    plans = PLANS[card.card_id]
    names = dict(zip(Names, free_names(rules), strict=True))
    assert set(shared.names) <= set().union(*(names[plan.named] for plan in plans))
    # Every word that a fact brought in is one of those names.
    written = to_json((shared,), "")
    assert set(re.findall(r"Zq\w+", written)) <= set(shared.names)
    assert PLACE not in written
    # Every number is one that the allowlist names; no date, no clock, no id.
    allowed = {one for plan in plans for one in (plan.figure, *plan.numbers)}
    values = [one.value for one in card.facts if one.fact_id in allowed]
    numbers = {str(value) for value in values}
    numbers |= {f"{value:,}" for value in values if isinstance(value, int)}
    texts_told = f"{shared.headline} {shared.figure} {shared.text}"
    assert set(re.findall(r"\d[\d,]*", texts_told)) <= numbers
    assert not re.search(r"\d{4}-\d\d|\d:\d\d|\bid\d|p0000", written)
    assert set(json.loads(written)["cards"][0]) == {
        *("card_id", "kind", "language", "headline", "figure", "text", "names")
    }


def test_the_allowlist_names_no_date_and_no_place() -> None:
    for card_id, plans in PLANS.items():
        for plan in plans:
            for fact_id in (*plan.numbers, *plan.names, *filter(None, [plan.figure])):
                kind = fact(card_id, fact_id, 0).kind
                assert kind is not FactKind.DATE, fact_id
                wanted = FactKind.TITLE if plan.named is Names.TITLES else FactKind.TEXT
                assert (fact_id not in plan.names) or kind is wanted, fact_id
    assert set(PLANS).isdisjoint({"edges", "country", "throwbacks"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plan_has_words_that_need_nothing_else(language: str) -> None:
    words = share_words(language)
    plans = [plan for plans in (*PLANS.values(), *QUIZ_PLANS.values()) for plan in plans]
    assert set(words.texts) == {plan.words for plan in plans}
    for plan in plans:
        headline, text = words.texts[plan.words]
        assert headline
        assert "{" not in headline
        assert set(re.findall(r"\{([^}]*)\}", text)) == set(plan.numbers)
    assert set(words.lines) == set(words.archetypes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_have_every_letter_of_the_words(language: str) -> None:
    typefaces, words = Typefaces(), share_words(language)
    told = [part for both in words.texts.values() for part in both]
    assert set(words.partial) <= set(words.texts)
    for text in (*told, *words.partial.values(), *words.lines.values(), *words.archetypes.values()):
        assert all(typefaces.has(ord(char)) for char in text), text
        assert prepared(text, typefaces) == text


def test_cards_come_in_the_order_that_they_were_chosen_in() -> None:
    cards = [
        Card("night", "", "", (fact("night", "night.percent", 31),), (), is_shareable=True),
        Card("minutes", "", "", (), (), is_shareable=True),
    ]
    made = preview(
        cards, ["minutes", "night", "nothing"], Leaving({}, frozenset()), share_words("")
    )
    assert [(card.card_id, card.figure) for card in made.cards] == [("night", "31%")]
    assert made.omitted_card_ids == ("minutes", "nothing")


def test_a_list_without_enough_names_is_told_by_its_count() -> None:
    facts = tuple(
        fact("titles", name, value)
        for name, value in (
            ("titles.count", 1_234),
            ("titles.movies", 34),
            ("titles.series", 1_200),
            ("titles.1", "gone"),
        )
    )
    card = Card("titles", "", "", facts, (), is_shareable=True)
    made = preview([card], ["titles"], Leaving({}, frozenset()), share_words("en"))
    assert made.cards == (
        SharedCard(
            *("titles", CardKind.FIGURE, "en", "Titles watched"),
            *("1,234", "Movies: 34. Series: 1,200."),
        ),
    )


def test_a_snapshot_is_read_as_it_was_written() -> None:
    card = SharedCard("c", CardKind.LIST, "th", "ที่", names=("a\u2028\U0001f319", '"{}'))
    assert of_json(to_json((card,), "née")) == ((card,), "née")


def test_a_list_of_which_something_is_left_out_claims_no_rank() -> None:
    titles = {
        name: Title(name, TitleKind.MOVIE, name.upper(), maturity_years=years)
        for name, years in (("a", 18), ("b", 12), ("c", 12), ("d", 12))
    }

    def headline(*title_ids: str) -> str:
        counts = [fact("titles", f"titles.{name}", 3) for name in ("movies", "series")]
        ranked = [
            fact("titles", f"titles.{place}", title_id)
            for place, title_id in enumerate(title_ids, 1)
        ]
        card = Card("titles", "", "", (*counts, *ranked), (), is_shareable=True)
        made = preview([card], ["titles"], Leaving(titles, frozenset()), share_words("en"))
        return made.cards[0].headline

    assert headline("b", "c", "d") == "My top titles"
    assert headline("a", "b", "c") == "Among my top titles"
