import dataclasses
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import polars as pl
import pytest

from libs.domain.event import DAY_MS, Event, WatchedInterval
from libs.domain.title import KIDS_MATURITY_YEARS, Title, TitleKind
from libs.domain.viewing import Device
from libs.features.watched_days import watched_days
from libs.simulation.config import Detail, SimulationConfig
from libs.simulation.world import build_world
from services.recap.ports import HeldHistory
from services.recap.year.cards import cards
from services.recap.year.catalogue import Catalogue
from services.recap.year.cohort import NO_COHORTS
from services.recap.year.counter import Counter
from services.recap.year.fact import TOLD_STORIES, Level, Problem
from services.recap.year.history import NO_DAYS, of_days, of_events
from services.recap.year.households import Household, Sessions
from services.recap.year.people_words import people_words
from services.recap.year.period import LIFETIME, Period
from services.recap.year.person import KIDS, people
from services.recap.year.recap import Recap
from services.recap.year.sessions import ProfileSessions, sessions_of
from services.recap.year.split import (
    SEPARATOR,
    Split,
    by_person,
    described,
    divided,
    divided_days,
    split,
)
from services.recap.year.texts import LANGUAGES, words
from tests.made_sessions import simulated_profiles
from tests.services.recap.year.made_counts import verifier_of

PROFILES = 160
DAYS = 365
UNTIL_MS = 1_767_225_600_000
YEAR = Period.of_year(2025)


@dataclasses.dataclass(frozen=True, eq=False)
class Service:
    """Adults' profiles of a simulated service, half of them shared."""

    titles: dict[str, Title]
    events: dict[str, list[Event]]
    version: int = 1


@cache
def _service() -> Service:
    world = build_world(
        SimulationConfig(
            until_ms=UNTIL_MS,
            seed=91,
            profile_count=PROFILES,
            days=DAYS,
            detail=Detail.PLAYS,
            shared_share=0.5,
        )
    )
    events: dict[str, list[Event]] = {}
    for index, profile in enumerate(world.profiles):
        if not profile.kids and profile.maturity_limit_years is None:
            events[profile.profile_id] = list(world.history(index).events)
    return Service({title.title_id: title for title in world.titles}, events)


@cache
def _parts() -> Split:
    service = _service()
    return split(_history(), Catalogue.of(service.titles.values()), YEAR, UNTIL_MS, NO_DAYS, ())


@cache
def _history() -> pl.DataFrame:
    return of_events(event for own in _service().events.values() for event in own)


def _viewers(parts: Split) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in parts.people["viewer_id"]:
        profile_id, _, who = name.partition(SEPARATOR)
        found.setdefault(profile_id, []).append(who)
    return found


def _recaps(profile_id: str, events: Sequence[Event], period: Period = YEAR) -> dict[str, Recap]:
    service = _service()
    counter = Counter(most_tenants=1)
    try:
        return counter.count(
            "t", service, HeldHistory(profile_id, of_events(events), []), "", period, UNTIL_MS,
            NO_COHORTS,
        )  # fmt: skip
    finally:
        counter.close()


def test_sessions_are_those_that_detection_was_measured_on() -> None:
    service = _service()
    catalogue = Catalogue.of(service.titles.values())
    found = {
        tuple(one.sessions.start_ms.tolist()): one.sessions
        for one in sessions_of(_history(), catalogue)
    }
    known = [
        one.sessions
        for one in simulated_profiles(91, PROFILES, DAYS, UNTIL_MS)
        if len(one.member) >= 20
    ]
    assert len(found) == len(known) > 50
    for wanted in known:
        order = np.argsort(wanted.start_ms, kind="stable")
        wanted = wanted.take(order)
        own = found[tuple(wanted.start_ms.tolist())]
        assert (own.device == wanted.device).all()
        assert np.allclose(own.kids_share, wanted.kids_share)
        threads = [np.unique(one.whole, return_inverse=True)[1] for one in (own, wanted)]
        assert (threads[0] == threads[1]).all()
        # To the minute there.
        assert np.abs(own.local_hour - wanted.local_hour).max() < 1 / 59
        used = wanted.content.any(axis=0).sum()
        assert np.allclose(
            np.sort(own.content.sum(axis=0))[-used:], np.sort(wanted.content.sum(axis=0))[-used:]
        )


def test_no_childs_session_and_no_childrens_title_is_in_an_adults_cards() -> None:
    service = _service()
    shared = {whose: who for whose, who in _viewers(_parts()).items() if KIDS in who}
    assert len(shared) > 10
    told = 0
    for profile_id in shared:
        events = service.events[profile_id]
        childs = _childs_sessions(events, service.titles)
        adults = _watched_titles((one for one in events if one.session_id not in childs), service)
        for who, recap in _recaps(profile_id, events).items():
            assert all(story is not None for story in recap.stories.values())
            names = {title_id: title.name for title_id, title in service.titles.items()}
            for card in cards(recap, names, words("en"), who):
                shown = {service.titles[title_id] for title_id in card.title_ids}
                if who != KIDS:
                    told += 1
                    assert all(one.maturity_years > KIDS_MATURITY_YEARS for one in shown)
                    assert set(card.title_ids) <= adults
    assert told > 100


def test_a_session_is_one_persons_and_a_childs_is_no_adults() -> None:
    parts, history = _parts(), _history()
    seen = divided(history, parts)
    kids = parts.people.filter(pl.col("viewer_id").str.ends_with(SEPARATOR + KIDS))["viewer_id"]
    assert len(kids) > 10
    of_adults = seen.filter(~pl.col("profile_id").is_in(kids.implode()))
    of_kids = seen.filter(pl.col("profile_id").is_in(kids.implode()))
    assert of_kids.height > 0
    assert set(of_kids["event_id"]).isdisjoint(of_adults["event_id"])
    for session in (of_kids, of_adults):
        per_session = session.join(parts.whose, on="session_id").group_by("session_id")
        assert per_session.agg(pl.col("viewer_id").n_unique())["viewer_id"].max() == 1


def test_nothing_of_a_shared_profile_is_told_as_a_whole_nor_twice() -> None:
    parts, history = _parts(), _history()
    shared = list(_viewers(parts))
    assert 20 < len(shared) < len(_service().events)
    seen = divided(history, parts)
    assert not seen["profile_id"].is_in(shared).any()
    assert seen["event_id"].n_unique() == seen.height
    others = history.filter(~pl.col("profile_id").is_in(shared))
    assert seen.filter(~pl.col("profile_id").str.contains(SEPARATOR, literal=True)).equals(others)


def test_a_persons_facts_name_the_person_in_their_sql() -> None:
    service, parts = _service(), _parts()
    profile_id, who = next(
        (profile_id, people[0]) for profile_id, people in _viewers(parts).items() if people
    )
    recap = _recaps(profile_id, service.events[profile_id])[who]
    names = {title_id: title.name for title_id, title in service.titles.items()}
    history = of_events(service.events[profile_id])
    told = cards(recap, names, words("en"), who)
    assert len(told) > 5
    titles = service.titles.values()
    with verifier_of(history, titles, YEAR, UNTIL_MS, parts.whose) as verifier:
        for card in told:
            for fact in card.facts:
                rows = verifier.ask(fact.query, profile_id)
                assert (fact.fact_id, fact.value) in {
                    (fact_id, text if number is None else number) for fact_id, number, text in rows
                }


def test_the_question_describes_each_of_them_in_every_language() -> None:
    service = _service()
    profile_id = next(whose for whose, who in _viewers(_parts()).items() if KIDS in who)
    recaps = _recaps(profile_id, service.events[profile_id])
    assert "" not in recaps
    for language in LANGUAGES:
        asked = people(recaps, people_words(language))
        assert [one.person_id for one in asked] == sorted(recaps)
        assert [one.is_kids for one in asked] == [who == KIDS for who in sorted(recaps)]
        assert sum(one.share_ratio for one in asked) == pytest.approx(1)
        assert all(one.description for one in asked)
    child = people(recaps, people_words("en"))[-1]
    assert child.description.startswith("children's titles, ")


def test_no_two_who_share_a_profile_are_described_alike() -> None:
    parts = _parts()
    # Something to tell of each.
    told = Recap({"minutes": {"minutes.total": 9, "minutes.days": 1, "minutes.plays": 1}})
    found: dict[str, dict[str, Recap]] = {}
    for profile_id, who, recap in by_person(dict.fromkeys(parts.people["viewer_id"], told), parts):
        found.setdefault(profile_id, {})[who] = recap
    assert sum(sum(who != KIDS for who in recaps) > 1 for recaps in found.values()) > 10
    for recaps in found.values():
        for language in LANGUAGES:
            descriptions = [one.description for one in people(recaps, people_words(language))]
            assert len(set(descriptions)) == len(recaps), descriptions


def test_of_those_with_the_same_habits_it_is_said_what_is_more_theirs() -> None:
    genres = ("comedy", "drama", "noir", "war")
    spent = {0: (0.1, 0.6, 0.2, 0.1), 1: (0.3, 0.6, 0.1, 0.0), 2: (0.0, 0.6, 0.1, 0.3)}
    spent |= {3: (0.0, 0.7, 0.2, 0.1), 4: (0.7, 0.1, 0.1, 0.1)}
    cluster = np.repeat(np.arange(5), 20)
    sessions = Sessions(
        start_ms=np.arange(100),
        local_hour=np.full(100, 20.0),
        device=np.full(100, int(Device.TV)),
        content=np.array([spent[place] for place in cluster.tolist()]),
        kids_share=(cluster == 4).astype(float),
        whole=np.arange(100),
    )
    known = ProfileSessions("p", tuple(map(str, range(100))), sessions, genres)
    habits = described(known, Household(0.9, True, cluster, 4))
    assert [one[:3] for one in habits[:4]] == [("evening", "tv", "drama")] * 4
    assert [one[3] for one in habits] == ["noir", "comedy", "war", "drama", ""]


def test_a_profile_for_a_child_or_a_teenager_stays_whole() -> None:
    service = _service()
    catalogue = Catalogue.of(service.titles.values())
    parts = split(_history(), catalogue, YEAR, UNTIL_MS, NO_DAYS, list(service.events))
    assert parts.people.is_empty()
    assert divided(_history(), parts).equals(_history())


def test_where_sessions_were_compacted_no_person_is_told_of() -> None:
    service = _service()
    catalogue = Catalogue.of(service.titles.values())
    profile_id, who = next(iter(_viewers(_parts()).items()))
    events = service.events[profile_id]
    days = watched_days([event for event in events if event.occurred_ms < UNTIL_MS - 200 * DAY_MS])
    counter = Counter(most_tenants=1)
    held = HeldHistory(profile_id, of_events(events), days)
    found = counter.count("t", service, held, "", LIFETIME, UNTIL_MS, NO_COHORTS)
    assert sorted(found) == sorted(who)
    assert all(one.level() == (Level.NONE, Problem.COMPACTED) for one in found.values())
    autumn = Period.of_dates("2025-10-01", "2025-12-31")
    later = counter.count("t", service, held, "", autumn, UNTIL_MS, NO_COHORTS)
    counter.close()
    assert any(one.level()[0] is Level.FULL for one in later.values())
    told = {name for one in later.values() for name in one.stories if name in TOLD_STORIES}
    assert "minutes" in told
    assert told.isdisjoint({"discoveries", "throwbacks"})
    frame = of_days((profile_id, day) for day in days)
    parts = split(of_events(events), catalogue, LIFETIME, UNTIL_MS, frame, ())
    assert divided_days(frame, parts).is_empty()


def test_a_catalogue_without_ages_has_no_childrens_titles() -> None:
    def title(title_id: str, years: int, parent_id: str = "") -> Title:
        kind = TitleKind.EPISODE if parent_id else TitleKind.SERIES
        return Title(title_id, kind, title_id, parent_id=parent_id, maturity_years=years)

    assert Catalogue.of([title("a", 0), title("b", 0)]).children_ids().to_list() == []
    rated = [title("a", 16), title("ae", 0, "a"), title("b", 6), title("be", 0, "b"), title("c", 0)]
    assert Catalogue.of(rated).children_ids().to_list() == ["b", "be", "c"]


def _childs_sessions(events: Sequence[Event], titles: dict[str, Title]) -> set[str]:
    """The sessions half of which, or more, went to children's titles."""
    spent: dict[str, list[int]] = {}
    for event in events:
        if isinstance(event.detail, WatchedInterval):
            of_session = spent.setdefault(event.session_id, [0, 0])
            ms = event.detail.to_ms - event.detail.from_ms
            is_childrens = titles[event.title_id].maturity_years <= KIDS_MATURITY_YEARS
            of_session[is_childrens] += ms
    return {name for name, (others, own) in spent.items() if own and own >= others}


def _watched_titles(events: Iterable[Event], service: Service) -> set[str]:
    """What these events played, and the series of it."""
    found = {event.title_id for event in events if isinstance(event.detail, WatchedInterval)}
    return found | {service.titles[title_id].parent_id for title_id in found}
