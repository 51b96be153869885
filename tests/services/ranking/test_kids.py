"""The kids filter is the OR of stored and sent, and nothing that fails later can undo it."""

import dataclasses

from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.domain.decision import Part, Purpose
from libs.domain.profile import Profile
from libs.domain.title import KIDS_MATURITY_YEARS
from libs.domain.viewing import ViewingContext
from libs.faults import DeadlineSpent, Fault, Overloaded, PartUnavailable
from libs.features.profile_state import EMPTY
from libs.models.retrieval import Retrieved
from services.ranking.ports import CandidateQuery
from services.ranking.shelf import Shelf
from tests.made_bundle import NOW_MS, VERSION, catalogue
from tests.services.ranking.made_parts import Candidates, Suite, rated

FAULTS: list[Fault | None] = [
    None,
    PartUnavailable("somebody", "away"),
    Overloaded("calls", retry_after_ms=1),
    DeadlineSpent("somebody"),
]
FIT_FOR_KIDS = {
    title_id
    for title_id, title in catalogue().items()
    if title.maturity_years <= KIDS_MATURITY_YEARS
}


class Careless(Candidates):
    """Retrieval that forgets for whom it is asked."""

    async def retrieve(
        self, query: CandidateQuery, *, timeout_s: float
    ) -> tuple[Retrieved, tuple[Part, ...]]:
        careless = dataclasses.replace(query, kids=False, maturity_limit_years=None)
        return await super().retrieve(careless, timeout_s=timeout_s)


profiles = st.none() | st.builds(
    Profile,
    profile_id=st.just("p"),
    kids=st.booleans(),
    maturity_limit_years=st.sampled_from([None, 0, 12, 18, 21]),
    country=st.sampled_from(["", "PT", "DE"]),
)


@given(
    stored=profiles,
    sent_kids=st.booleans(),
    profile_fault=st.sampled_from(FAULTS),
    titles_fault=st.sampled_from(FAULTS),
    candidates_fault=st.sampled_from(FAULTS),
    has_bundle=st.booleans(),
    has_ranker=st.booleans(),
    is_held=st.sampled_from(["this", "other", "unknown"]),
    is_careless=st.booleans(),
    is_reachable=st.booleans(),
    is_connected=st.booleans(),
    has_history=st.booleans(),
    purpose=st.sampled_from([Purpose.LIVE, Purpose.PREVIEW]),
)
@example(
    stored=Profile("p", kids=True),
    sent_kids=False,
    profile_fault=None,
    titles_fault=None,
    candidates_fault=None,
    has_bundle=True,
    has_ranker=True,
    is_held="this",
    is_careless=True,
    is_reachable=True,
    is_connected=True,
    has_history=True,
    purpose=Purpose.LIVE,
)
@settings(max_examples=150, deadline=None)
async def test_a_child_is_never_shown_what_is_not_for_children(
    stored: Profile | None,
    sent_kids: bool,
    profile_fault: Fault | None,
    titles_fault: Fault | None,
    candidates_fault: Fault | None,
    has_bundle: bool,
    has_ranker: bool,
    is_held: str,
    is_careless: bool,
    is_reachable: bool,
    is_connected: bool,
    has_history: bool,
    purpose: Purpose,
) -> None:
    suite = Suite()
    whole = suite.shelves.current
    assert whole is not None
    if not has_bundle:
        suite.shelves.current = Shelf.of(catalogue(), None, None)
    elif not has_ranker:
        suite.shelves.current = whole.without_ranker()
    if is_held == "other":
        del suite.candidates.shelves[VERSION]
    elif is_held == "unknown":
        suite.candidates.shelves = {"20990101T000000000Z-00000000": whole}
    if is_careless:
        suite.candidates = Careless(suite.candidates.shelves)
    suite.profiles.profile, suite.profiles.fault = stored, profile_fault
    suite.profiles.state = rated(1, 2, 3) if has_history else EMPTY
    suite.titles.fault, suite.candidates.fault = titles_fault, candidates_fault
    suite.decisions.is_reachable, suite.catalogue.is_connected = is_reachable, is_connected
    context = ViewingContext(country="PT", kids=sent_kids)
    answer = await suite.ask(context=context, limit=60, purpose=purpose)
    is_child = sent_kids or profile_fault is not None or (stored is not None and stored.kids)
    assert answer.title_ids, "never an empty answer"
    if is_child:
        assert set(answer.title_ids) <= FIT_FOR_KIDS
    if profile_fault is None and stored is not None and stored.maturity_limit_years is not None:
        shown = [catalogue()[title_id].maturity_years for title_id in answer.title_ids]
        assert max(shown) <= stored.maturity_limit_years
    for decision in suite.decisions.logged:
        assert decision.title_ids == answer.title_ids
        assert decision.decided_ms == NOW_MS
