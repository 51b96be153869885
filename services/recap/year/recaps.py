"""GetRecap: what the batch has made, or the same counted now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from libs.domain.consent import Consent
from libs.domain.decision import Part
from libs.domain.event import EventKind
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import Fault, HistoryCompacted, InvalidField, PartUnavailable
from libs.serving.profile_features import ProfileFeatures
from libs.serving.waiting import on_thread
from libs.storage.recap.recap_table import RecapRun, RecapTable
from services.recap.ports import HeldHistory, History
from services.recap.year.cards import cards
from services.recap.year.cohort import NO_COHORTS, Cohorts
from services.recap.year.counter import Counter
from services.recap.year.fact import Card, Level, Problem
from services.recap.year.history import COUNTED_KINDS
from services.recap.year.names import TitleNames
from services.recap.year.people_words import people_words
from services.recap.year.period import Period
from services.recap.year.person import KIDS, WHOLE, SharedPerson, is_adults, most_told, people
from services.recap.year.recap import Recap
from services.recap.year.texts import words

log = structlog.get_logger(__name__)

_KINDS: Final = tuple(EventKind[name] for name in COUNTED_KINDS)
# As many as a call to ranking may name.
_MOST_SEEDS: Final = 50
# Of what is left of the deadline, for a catalogue that is only now being fetched, for the history
# and for what to watch next: without that the cards still have to leave.
_CATALOGUE_SHARE: Final = 0.5
_HISTORY_SHARE: Final = 0.5
_NEXT_SHARE: Final = 0.5


class Titles(Protocol):
    """The catalogue of one tenant."""

    @property
    def titles(self) -> Mapping[str, Title]:
        """By id."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change; 0 until it is known."""
        ...

    async def filled(self, within_s: float) -> bool:
        """Wait for the catalogue, but no longer than that; whether it is there."""
        ...


class NextTitles(Protocol):
    """What to watch next from a few titles."""

    async def next_titles(
        self,
        tenant: str,
        profile_id: str,
        seed_title_ids: tuple[str, ...],
        *,
        limit: int,
        timeout_s: float,
    ) -> tuple[tuple[str, ...], str]:
        """Title ids, best first, and the page that they are on; raises a Fault."""
        ...


@dataclass(frozen=True, slots=True)
class RecapQuery:
    """One question; constructors of its parts have rejected nonsense."""

    tenant: str
    profile_id: str
    period: Period
    person_id: str
    language: str
    next_limit: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class RecapAnswer:
    """What there is to tell, and what it was made from."""

    level: Level
    problem: Problem | None = None
    cards: tuple[Card, ...] = ()
    people: tuple[SharedPerson, ...] = ()
    run_id: str = ""
    cutoff_ms: int = 0
    is_precomputed: bool = False
    first_date: str = ""
    last_date: str = ""
    next_title_ids: tuple[str, ...] = ()
    next_page_id: str = ""
    degraded: tuple[Part, ...] = ()


class Recaps:
    """The recaps of all tenants."""

    def __init__(
        self,
        table: RecapTable,
        profiles: ProfileFeatures,
        history: History,
        titles_of: Callable[[str], Titles],
        counter: Counter,
        next_titles: NextTitles,
        count_disagreeing: Callable[[str], None],
    ) -> None:
        self._table = table
        self._profiles = profiles
        self._history = history
        self._titles_of = titles_of
        self._counter = counter
        self._next_titles = next_titles
        self._count_disagreeing = count_disagreeing

    async def get(self, query: RecapQuery, remaining_s: Callable[[], float]) -> RecapAnswer:
        """The recap; raises a Fault where a part that it cannot do without is away."""
        query.period.check_begun(query.now_ms)
        profile, _ = await self._profiles.read(
            query.tenant, query.profile_id, as_of_ms=None, timeout_s=remaining_s()
        )
        if profile is not None and not _allows(profile):
            return RecapAnswer(Level.NONE, Problem.NOT_PERSONALIZED)
        if not await self._titles_of(query.tenant).filled(_CATALOGUE_SHARE * remaining_s()):
            raise PartUnavailable("candidates", "the catalogue has not come yet")
        run, texts = await on_thread(
            self._table.find, query.tenant, query.profile_id, query.period.key
        )
        # Who became a child's since is told of whole, not asked which of the adults it is.
        if run is not None and texts and (WHOLE in texts or not _stays_whole(profile)):
            recaps = {who: Recap.of_json(text) for who, text in texts.items()}
            return await self._asked(query, run, recaps, profile, True, remaining_s)
        return await self._counted(query, run, profile, remaining_s)

    async def _counted(
        self,
        query: RecapQuery,
        run: RecapRun | None,
        profile: Profile | None,
        remaining_s: Callable[[], float],
    ) -> RecapAnswer:
        titles = self._titles_of(query.tenant)
        cutoff_ms = query.now_ms if run is None else run.cutoff_ms
        try:
            held = await self._history.held(
                query.tenant,
                query.profile_id,
                kinds=_KINDS,
                until_ms=cutoff_ms,
                timeout_s=_HISTORY_SHARE * remaining_s(),
            )
        except HistoryCompacted:
            if run is None:
                raise
            # Nobody knows any more what was there at the run's cutoff; what is there now is known.
            return await self._counted(query, None, profile, remaining_s)
        if held.events.is_empty() and not held.days and profile is None:
            return RecapAnswer(Level.NONE, Problem.UNKNOWN_PROFILE, cutoff_ms=cutoff_ms)
        recaps = await on_thread(
            self._count,
            query,
            titles,
            held,
            profile,
            cutoff_ms,
            NO_COHORTS if run is None else Cohorts.of_json(run.cohorts_json),
        )
        shown = run or RecapRun("", query.period.key, cutoff_ms, "")
        return await self._asked(query, shown, recaps, profile, False, remaining_s)

    def _count(
        self,
        query: RecapQuery,
        titles: Titles,
        held: HeldHistory,
        profile: Profile | None,
        cutoff_ms: int,
        cohorts: Cohorts,
    ) -> dict[str, Recap]:
        recaps = self._counter.count(
            query.tenant,
            titles,
            held,
            "" if profile is None else profile.country,
            query.period,
            cutoff_ms,
            cohorts,
            is_whole=_stays_whole(profile),
        )
        for recap in recaps.values():
            for story, values in recap.stories.items():
                if values is None:
                    self._count_disagreeing(story)
                    log.error("facts disagree", story=story, period=query.period.key)
        return recaps

    async def _asked(
        self,
        query: RecapQuery,
        run: RecapRun,
        recaps: Mapping[str, Recap],
        profile: Profile | None,
        is_precomputed: bool,
        remaining_s: Callable[[], float],
    ) -> RecapAnswer:
        """Tell of the whole profile or of one person; else ask which of them it is."""
        if query.person_id and query.person_id not in recaps:
            raise InvalidField(
                "person_id", "is nobody's of this profile and period; ask without one who is there"
            )
        if query.person_id or WHOLE in recaps or not recaps:
            recap = recaps.get(query.person_id, Recap({}))
            return await self._told(query, run, recap, profile, is_precomputed, remaining_s)
        level, problem = most_told(recaps)
        first, last = _dates(Recap({}), query.period)
        return RecapAnswer(
            level=level,
            problem=problem,
            people=people(recaps, people_words(query.language)),
            run_id=run.run_id,
            cutoff_ms=run.cutoff_ms,
            is_precomputed=is_precomputed,
            first_date=first,
            last_date=last,
        )

    async def _told(
        self,
        query: RecapQuery,
        run: RecapRun,
        recap: Recap,
        profile: Profile | None,
        is_precomputed: bool,
        remaining_s: Callable[[], float],
    ) -> RecapAnswer:
        level, problem = recap.level()
        titles = self._titles_of(query.tenant).titles
        told = cards(
            recap,
            TitleNames(titles, profile),
            words(query.language),
            query.person_id,
            TitleNames(titles, profile, at_ms=query.now_ms),
        )
        first, last = _dates(recap, query.period)
        next_ids, page_id, degraded = await self._next(query, told, remaining_s)
        return RecapAnswer(
            level=level,
            problem=problem,
            cards=told,
            run_id=run.run_id,
            cutoff_ms=run.cutoff_ms,
            is_precomputed=is_precomputed,
            first_date=first,
            last_date=last,
            next_title_ids=next_ids,
            next_page_id=page_id,
            degraded=degraded,
        )

    async def _next(
        self, query: RecapQuery, told: tuple[Card, ...], remaining_s: Callable[[], float]
    ) -> tuple[tuple[str, ...], str, tuple[Part, ...]]:
        """What to watch next from the titles of the cards; without ranking it says so."""
        seeds = tuple(dict.fromkeys(title_id for card in told for title_id in card.title_ids))
        # Recommendations are the whole profile's, and not for one child of those who share it.
        if not (query.next_limit and seeds) or query.person_id == KIDS:
            return (), "", ()
        try:
            title_ids, page_id = await self._next_titles.next_titles(
                query.tenant,
                query.profile_id,
                seeds[:_MOST_SEEDS],
                limit=query.next_limit,
                timeout_s=_NEXT_SHARE * remaining_s(),
            )
        except Fault as fault:
            log.warning("nothing to watch next", cause=str(fault))
            return (), "", (Part.RANKER,)
        return title_ids, page_id, ()


def _stays_whole(profile: Profile | None) -> bool:
    return profile is not None and not is_adults(profile.kids, profile.maturity_limit_years)


def _allows(profile: Profile) -> bool:
    return profile.allows(Consent.PERSONALIZATION) and profile.allows(Consent.RECAP)


def _dates(recap: Recap, period: Period) -> tuple[str, str]:
    """The period's days; of a lifetime those of the first and the last play."""
    edges = recap.stories.get("edges") or {}
    if not period.is_lifetime:
        return period.first.isoformat(), period.last.isoformat()
    return str(edges.get("edges.first.date", "")), str(edges.get("edges.last.date", ""))
