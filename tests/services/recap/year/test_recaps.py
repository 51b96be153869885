"""GetRecap's core over a real table, beside parts that are away, slow or behind."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from libs.domain.decision import Part
from libs.domain.event import DAY_MS, EventKind
from libs.domain.profile import Profile
from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.faults import DeadlineSpent, HistoryCompacted, PartUnavailable
from libs.features.profile_state import EMPTY, ProfileState
from libs.storage.recap.database import Database, open_file
from libs.storage.recap.recap_table import RecapRow, RecapRun, RecapTable
from services.recap.ports import HeldHistory
from services.recap.year.counter import Counter
from services.recap.year.fact import Level
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME
from services.recap.year.recaps import RecapAnswer, RecapQuery, Recaps
from tests.made_recap import personal_tables_of
from tests.made_recaps import play

NOW_MS = 20_000 * DAY_MS
NAMES = {title_id: title_id.title() for title_id in ("a", "b", "c", "d", "e")}
MINUTES = {"minutes.total": 400, "minutes.days": 4, "minutes.plays": 5}
TITLES = {"titles.count": 5, "titles.movies": 5, "titles.series": 0, "titles.episodes": 0}


@dataclass
class Clock:
    """What is left of a call's deadline."""

    left_s: float = 10.0

    def remaining_s(self) -> float:
        return self.left_s


@dataclass
class Catalogue:
    """Titles that come, or do not."""

    titles: Mapping[str, Title]
    is_there: bool = True
    version: int = 1

    async def filled(self, within_s: float) -> bool:
        return self.is_there


@dataclass
class Held:
    """One profile, and a history of one film a day."""

    profile: Profile | None = None
    days: int = 0
    compacted_until_ms: int = 0

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        return self.profile, EMPTY

    async def held(
        self,
        tenant: str,
        profile_id: str,
        *,
        kinds: tuple[EventKind, ...],
        until_ms: int,
        timeout_s: float,
    ) -> HeldHistory:
        if until_ms < self.compacted_until_ms:
            raise HistoryCompacted(until_ms, self.compacted_until_ms)
        events = [
            event
            for day in range(self.days)
            for event in play(f"e{day}", NOW_MS - (day + 1) * DAY_MS, "abcde"[day % 5], 90)
        ]
        return HeldHistory(profile_id, of_events(events), [])


@dataclass
class Ranking:
    """It takes all the time that it is given, and answers nothing."""

    clock: Clock

    async def next_titles(
        self,
        tenant: str,
        profile_id: str,
        seed_title_ids: tuple[str, ...],
        *,
        limit: int,
        timeout_s: float,
    ) -> tuple[tuple[str, ...], str]:
        self.clock.left_s -= timeout_s
        raise DeadlineSpent("ranking")


@dataclass
class Desk:
    """Recaps over these parts."""

    table: RecapTable
    catalogue: Catalogue
    held: Held = field(default_factory=Held)
    clock: Clock = field(default_factory=Clock)

    async def get(self, *, person_id: str = "", next_limit: int = 0) -> RecapAnswer:
        counter = Counter(most_tenants=1)
        recaps = Recaps(
            self.table,
            self.held,
            self.held,
            lambda tenant: self.catalogue,
            counter,
            Ranking(self.clock),
            lambda story: None,
        )
        query = RecapQuery("t", "p", LIFETIME, person_id, "en", next_limit, NOW_MS)
        answer = await recaps.get(query, self.clock.remaining_s)
        counter.close()
        return answer

    def store(self, **stories: Mapping[str, int | str]) -> None:
        """The one recap of a run, of `p`."""
        self.store_people({"": {"minutes": MINUTES, "titles": TITLES, **stories}})

    def store_people(
        self,
        recaps: Mapping[str, Mapping[str, Mapping[str, int | str]]],
        *,
        cutoff_ms: int = NOW_MS,
    ) -> None:
        self.table.begin("t", RecapRun("r", "lifetime", cutoff_ms, ""))
        rows = [RecapRow("p", who, json.dumps(stories)) for who, stories in recaps.items()]
        self.table.record("t", "r", rows)
        self.table.publish("t", "r")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_file(tmp_path / "recap.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    titles = {key: Title(key, TitleKind.MOVIE, name) for key, name in NAMES.items()}
    return Desk(RecapTable(database, personal_tables_of(database)), Catalogue(titles))


def _titles_of(answer: RecapAnswer, card_id: str) -> list[str]:
    return [
        title_id for card in answer.cards if card.card_id == card_id for title_id in card.title_ids
    ]


async def test_a_stored_recap_is_not_told_without_its_names(desk: Desk) -> None:
    desk.store(titles={**TITLES, "titles.1": "a", "titles.1.minutes": 400})
    assert _titles_of(await desk.get(), "titles") == ["a"]
    desk.catalogue = Catalogue({}, is_there=False, version=0)
    with pytest.raises(PartUnavailable, match="catalogue"):
        await desk.get()


async def test_the_cards_leave_in_time_though_ranking_takes_all_of_it(desk: Desk) -> None:
    desk.store(titles={**TITLES, "titles.1": "a", "titles.1.minutes": 400})
    answer = await desk.get(next_limit=3)
    assert _titles_of(answer, "titles") == ["a"]
    assert (answer.next_title_ids, answer.degraded) == ((), (Part.RANKER,))
    assert desk.clock.left_s > 0


async def test_a_throwback_can_be_watched_again(desk: Desk) -> None:
    desk.held.profile = Profile("p", country="PT")
    desk.catalogue.titles = {
        "a": Title("a", TitleKind.MOVIE, "A"),
        "b": Title("b", TitleKind.MOVIE, "B", licence_windows=(LicenceWindow("", 0, NOW_MS),)),
        "c": Title("c", TitleKind.MOVIE, "C", licence_windows=(LicenceWindow("ES"),)),
        "d": Title("d", TitleKind.MOVIE, "D", licence_windows=(LicenceWindow("PT"),)),
    }
    again = {f"throwbacks.{place + 1}": name for place, name in enumerate("abcd")}
    dates = {f"{name}.date": "2020-01-01" for name in again}
    top = {f"titles.{place + 1}": name for place, name in enumerate("abcd")}
    desk.store(throwbacks={**again, **dates}, titles={**TITLES, **top})
    answer = await desk.get()
    assert _titles_of(answer, "throwbacks") == ["a", "d"]
    assert _titles_of(answer, "titles") == ["a", "b", "c", "d"], "what was watched was watched"
    (card,) = (card for card in answer.cards if card.card_id == "throwbacks")
    assert [one.fact_id for one in card.facts] == [
        "throwbacks.1", "throwbacks.1.date", "throwbacks.4", "throwbacks.4.date"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "named"),
    [
        (Profile("p"), ["a", "b", "c"]),
        (Profile("p", maturity_limit_years=12), ["a", "b"]),
        (Profile("p", kids=True), ["a"]),
    ],
)
async def test_no_card_names_what_the_viewer_is_too_young_for(
    desk: Desk, profile: Profile, named: list[str]
) -> None:
    desk.held.profile = profile
    desk.catalogue.titles = {
        name: Title(name, TitleKind.MOVIE, name.upper(), maturity_years=years)
        for name, years in (("a", 0), ("b", 12), ("c", 18))
    }
    places = {f"titles.{place + 1}": name for place, name in enumerate("abc")}
    desk.store(titles={**TITLES, **places})
    assert _titles_of(await desk.get(), "titles") == named


async def test_who_became_a_childs_since_the_run_is_not_asked_which_adult_it_is(
    desk: Desk,
) -> None:
    people = {who: {"minutes": MINUTES, "titles": TITLES} for who in ("adult-1", "adult-2")}
    desk.store_people(people)
    desk.held = Held(Profile("p"), days=10)
    asked = await desk.get()
    assert [one.person_id for one in asked.people] == ["adult-1", "adult-2"]
    desk.held.profile = Profile("p", kids=True)
    told = await desk.get()
    assert (told.people, told.level, told.run_id) == ((), Level.FULL, "r")
    assert told.cards


async def test_what_was_compacted_since_the_run_is_counted_as_of_now_without_it(
    desk: Desk,
) -> None:
    desk.store_people({}, cutoff_ms=NOW_MS - 100 * DAY_MS)
    desk.held = Held(days=10, compacted_until_ms=NOW_MS - 50 * DAY_MS)
    answer = await desk.get()
    assert (answer.level, answer.run_id, answer.cutoff_ms) == (Level.FULL, "", NOW_MS)
    desk.held.compacted_until_ms = NOW_MS + 1
    with pytest.raises(HistoryCompacted):
        await desk.get()
