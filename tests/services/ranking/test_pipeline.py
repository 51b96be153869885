"""The request path over fakes of its ports, and over a real in-process server."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc.aio
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.consent import Consent
from libs.domain.decision import Part, Purpose
from libs.domain.event import Event, EventKind, Thumb, ThumbDirection, Wish
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.faults import InvalidField, PartUnavailable
from libs.features.profile_state import EMPTY, replay
from libs.features.wishes import WISH_STRENGTH, Wishes
from libs.models.retrieval import Retrieved
from libs.serving.application import Application, Mounted, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.server import running
from libs.telemetry.metrics import ServiceMetrics
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from services.ranking.pipeline import Recommender
from services.ranking.ports import CandidateQuery
from services.ranking.servicer import RankingServicer
from services.ranking.shelf import Shelf
from tests.made_bundle import ADULT, NOW_MS, VERSION, catalogue
from tests.services.ranking.made_parts import (
    OLD_VERSION,
    Candidates,
    Suite,
    rated,
    rated_events,
)


@pytest.fixture
def suite() -> Suite:
    return Suite()


AWAY = PartUnavailable("somebody", "away")


async def test_a_whole_suite_answers_with_the_ranker(suite: Suite) -> None:
    suite.profiles.state = rated(1, 2, 3)
    answer = await suite.ask()
    assert len(set(answer.title_ids)) == 10
    assert not {"t01", "t02", "t03"} & set(answer.title_ids)
    assert answer.degraded == ()
    assert answer.policy == "ranker-mmr-1"
    assert answer.model_version == answer.index_version == VERSION
    assert (answer.source_ranks >= 0).any(axis=1).all()


async def test_the_same_question_gets_the_same_answer(suite: Suite) -> None:
    suite.profiles.state = rated(1, 2, 3)
    first, second = await suite.ask(), await suite.ask()
    assert first.title_ids == second.title_ids
    assert first.scores.tolist() == second.scores.tolist()


async def test_a_stored_kids_profile_cannot_be_undone_by_the_request(suite: Suite) -> None:
    suite.profiles.profile = Profile("p", kids=True)
    answer = await suite.ask(context=ViewingContext(country="PT", kids=False), limit=60)
    assert len(answer.title_ids) > 40
    assert ADULT not in answer.title_ids
    assert all(query.kids for query, _ in suite.candidates.asked)


async def test_evidence_of_the_session_moves_the_answer_and_may_be_in_it(suite: Suite) -> None:
    plain = await suite.ask(limit=60)
    wanted = plain.title_ids[-5:]
    seeded = await suite.ask(limit=60, seeds=tuple((one, 2.0) for one in wanted))
    assert set(seeded.title_ids) == set(plain.title_ids)
    assert seeded.title_ids != plain.title_ids
    (_, _), (query, _) = suite.candidates.asked
    assert len(query.history_rows) == 5
    assert set(query.history_weights.tolist()) == {2.0}


async def test_evidence_stands_for_the_title_it_names_and_comes_before_the_history(
    suite: Suite,
) -> None:
    suite.profiles.state = rated(1, 2, 3)
    await suite.ask(seeds=(("t02", 3.0), ("t09", 1.0), ("nobody knows it", 1.0)))
    ((query, _),) = suite.candidates.asked
    ids = [f"t{row:02d}" for row in range(61)]
    assert [ids[row] for row in query.history_rows[:2]] == ["t02", "t09"]
    assert {ids[row] for row in query.history_rows[2:]} == {"t01", "t03"}


async def test_what_a_quiz_has_come_to_speaks_where_the_request_brings_nothing(
    suite: Suite,
) -> None:
    state = rated(1, 2, 3)
    suite.profiles.state = dataclasses.replace(
        state, wishes=Wishes((NOW_MS, 0, 1), (Wish("t09", 1.0), Wish("t08", 0.5)))
    )
    wished = await suite.ask(limit=60)
    await suite.ask(seeds=(("t10", 1.0),))
    suite.profiles.profile = Profile("p", refused_consents=frozenset({Consent.PERSONALIZATION}))
    await suite.ask()
    suite.profiles.profile = None
    suite.profiles.state = state
    plain = await suite.ask(limit=60)
    (first, _), (brings, _), (refuses, _), _ = suite.candidates.asked
    assert first.history_rows[:2].tolist() == [9, 8]
    assert first.history_weights[:2].tolist() == [WISH_STRENGTH, WISH_STRENGTH / 2]
    assert brings.history_rows[0] == 10
    assert 9 not in brings.history_rows
    assert len(refuses.history_rows) == 0
    assert wished.title_ids != plain.title_ids


async def test_what_the_request_speaks_against_is_left_out_also_of_what_is_popular(
    suite: Suite,
) -> None:
    plain = await suite.ask()
    seeds = tuple((one, -1.0) for one in plain.title_ids[:3])
    answer = await suite.ask(seeds=seeds)
    suite.candidates.fault = AWAY
    popular = await suite.ask(seeds=seeds, limit=60)
    for slate in (answer, popular):
        assert not set(plain.title_ids[:3]) & set(slate.title_ids)


async def test_without_diversity_the_order_is_that_of_the_scores(suite: Suite) -> None:
    suite.profiles.state = rated(1, 2, 3)
    diverse = await suite.ask(limit=40)
    plain = await suite.ask(limit=40, is_diverse=False)
    assert plain.scores.tolist() == sorted(plain.scores.tolist(), reverse=True)
    assert diverse.title_ids != plain.title_ids


async def test_nobody_in_particular_is_answered_and_nothing_is_kept(suite: Suite) -> None:
    suite.profiles.fault = AWAY  # is not asked
    answer = await suite.ask(profile_id="", is_anonymous=True, purpose=Purpose.LIVE)
    assert len(answer.title_ids) == 10
    assert answer.page_id == ""
    assert answer.degraded == ()
    assert suite.decisions.logged == []


async def test_without_candidates_the_answer_is_popular(suite: Suite) -> None:
    suite.candidates.fault = AWAY
    suite.profiles.state = rated(1)
    answer = await suite.ask()
    assert answer.degraded == (Part.CANDIDATES,)
    assert answer.policy == "popular-1"
    assert len(set(answer.title_ids)) == 10
    assert "t01" not in answer.title_ids
    assert not answer.model_version
    assert not answer.index_version


async def test_without_features_only_what_suits_children_is_shown(suite: Suite) -> None:
    suite.profiles.fault = AWAY
    answer = await suite.ask(limit=60)
    assert answer.degraded == (Part.FEATURES,)
    assert ADULT not in answer.title_ids
    assert len(answer.title_ids) > 40


async def test_an_evaluation_without_history_is_refused(suite: Suite) -> None:
    suite.profiles.fault = AWAY
    with pytest.raises(PartUnavailable):
        await suite.ask(purpose=Purpose.EVALUATION)


async def test_without_title_counters_the_ranker_still_ranks(suite: Suite) -> None:
    suite.titles.fault = AWAY
    answer = await suite.ask()
    assert answer.degraded == (Part.TITLE_FEATURES,)
    assert answer.policy == "ranker-mmr-1"
    assert len(answer.title_ids) == 10


async def test_without_a_ranker_the_order_is_that_of_retrieval(suite: Suite) -> None:
    assert suite.shelves.current
    suite.shelves.current = suite.shelves.current.without_ranker()
    suite.profiles.state = rated(1, 2)
    answer = await suite.ask()
    retrieved, _ = await suite.candidates.retrieve(suite.candidates.asked[0][0], timeout_s=1)
    assert answer.degraded == (Part.RANKER,)
    assert answer.policy == "retrieval-order-1"
    assert answer.title_ids == tuple(f"t{row:02d}" for row in retrieved.rows[:10].tolist())


async def test_candidates_of_another_bundle_come_in_their_own_order(suite: Suite) -> None:
    del suite.candidates.shelves[VERSION]
    answer = await suite.ask()
    assert answer.degraded == (Part.RANKER,)
    assert answer.index_version == OLD_VERSION
    assert not answer.model_version


async def test_candidates_of_an_unknown_bundle_are_not_used(suite: Suite) -> None:
    suite.candidates.shelves = {"20990101T000000000Z-00000000": suite.candidates.shelves[VERSION]}
    answer = await suite.ask()
    assert answer.degraded == (Part.CANDIDATES,)
    assert answer.policy == "popular-1"


async def test_without_any_bundle_the_answer_is_popular(suite: Suite) -> None:
    suite.shelves.current = Shelf.of(catalogue(), None, None)
    answer = await suite.ask()
    assert answer.policy == "popular-1"
    assert Part.CANDIDATES in answer.degraded
    assert len(answer.title_ids) == 10


async def test_who_has_seen_everything_gets_what_is_popular_once_more(suite: Suite) -> None:
    suite.profiles.state = rated(*range(60))
    answer = await suite.ask()
    assert len(set(answer.title_ids)) == 10
    assert answer.policy == "popular-again-1"
    assert answer.degraded == ()
    (decision,) = suite.decisions.logged
    assert decision.policy == "popular-again-1"


async def test_an_evaluation_never_repeats_what_was_rated(suite: Suite) -> None:
    suite.profiles.state = rated(*range(59))
    answer = await suite.ask(purpose=Purpose.EVALUATION, limit=60)
    assert answer.title_ids == ("t59",)
    suite.profiles.state = rated(*range(60))
    for fault in (None, AWAY):
        suite.candidates.fault = fault
        assert (await suite.ask(purpose=Purpose.EVALUATION)).title_ids == ()


async def test_a_thumbed_down_title_and_one_for_adults_never_come_back(suite: Suite) -> None:
    down = Event(
        "down", "p", EventKind.THUMB, 2_000, title_id="t05", detail=Thumb(ThumbDirection.DOWN)
    )
    suite.profiles.state = replay([*rated_events(*range(60)), down])
    answer = await suite.ask(limit=60, context=ViewingContext(country="PT", kids=True))
    assert answer.policy == "popular-again-1"
    assert len(answer.title_ids) > 40
    assert not {"t05", ADULT} & set(answer.title_ids)


async def test_before_the_first_catalogue_there_is_no_answer(suite: Suite) -> None:
    suite.shelves.current = None
    with pytest.raises(PartUnavailable, match="catalogue"):
        await suite.ask()


async def test_events_and_catalogue_are_named_when_they_are_away(suite: Suite) -> None:
    suite.decisions.is_reachable = False
    suite.catalogue.is_connected = False
    answer = await suite.ask()
    assert answer.degraded == (Part.EVENTS, Part.CATALOGUE)
    assert len(answer.title_ids) == 10


async def test_candidates_get_a_share_of_the_time_and_an_evaluation_all_of_it(
    suite: Suite,
) -> None:
    await suite.ask(time_left_s=1.0)
    await suite.ask(time_left_s=1.0, purpose=Purpose.EVALUATION)
    (_, live), (_, measured) = suite.candidates.asked
    assert live < 1.0
    assert measured == 1.0


@pytest.mark.parametrize("purpose", [Purpose.PREVIEW, Purpose.EVALUATION])
async def test_only_live_answers_are_logged(suite: Suite, purpose: Purpose) -> None:
    assert not (await suite.ask(purpose=purpose)).page_id
    assert not suite.decisions.logged


async def test_a_live_answer_is_logged_as_it_was_given(suite: Suite) -> None:
    suite.profiles.state = rated(1)
    answer = await suite.ask()
    (decision,) = suite.decisions.logged
    assert decision.page_id == answer.page_id == "page-1"
    assert decision.title_ids == answer.title_ids
    assert decision.propensities == (1.0,) * 10
    assert decision.model_version == VERSION


async def test_a_title_that_retrieval_should_not_have_returned_is_removed_with_its_reason(
    suite: Suite,
) -> None:
    suite.profiles.state = rated(1)

    class Careless(Candidates):
        async def retrieve(
            self, query: CandidateQuery, *, timeout_s: float
        ) -> tuple[Retrieved, tuple[Part, ...]]:
            everything = dataclasses.replace(query, excluded_rows=np.empty(0, np.int32))
            return await super().retrieve(everything, timeout_s=timeout_s)

    suite.candidates = Careless(suite.candidates.shelves)
    answer = await suite.ask(limit=60)
    (decision,) = suite.decisions.logged
    assert "t01" not in answer.title_ids
    assert ("t01", "rated") in zip(
        decision.removed_title_ids, decision.removed_reasons, strict=True
    )


async def test_a_profile_that_refuses_it_is_answered_as_if_it_had_never_watched(
    suite: Suite,
) -> None:
    refused = frozenset({Consent.PERSONALIZATION})
    suite.profiles.state = rated(1, 2, 3)
    suite.profiles.profile = Profile("p", country="PT", refused_consents=refused)
    for purpose in Purpose:
        suite.profiles.state = rated(1, 2, 3)
        answer = await suite.ask(purpose=purpose, limit=60)
        suite.profiles.state = EMPTY
        stranger = await suite.ask(purpose=purpose, limit=60)
        assert answer.is_contextual
        assert answer.degraded == ()
        assert answer.title_ids == stranger.title_ids
        assert {"t01", "t02", "t03"} <= set(answer.title_ids)
    assert all(len(query.history_rows) == 0 for query, _ in suite.candidates.asked)
    assert all(len(query.excluded_rows) == 0 for query, _ in suite.candidates.asked)
    logged, of_stranger = suite.decisions.logged
    assert logged == of_stranger, "nothing of the history is in the log"


async def test_a_profile_that_was_never_asked_is_personalized(suite: Suite) -> None:
    suite.profiles.profile = Profile("p")
    suite.profiles.state = rated(1)
    answer = await suite.ask(limit=60)
    assert not answer.is_contextual
    assert "t01" not in answer.title_ids


@dataclass
class Tenant:
    recommender: Recommender

    async def filled(self, within_s: float) -> None:
        """It always is."""


@pytest.fixture
async def stub(suite: Suite) -> AsyncIterator["ranking_pb2_grpc.RankingServiceAsyncStub"]:
    servicer = RankingServicer(
        lambda tenant: Tenant(suite.recommender), ServiceMetrics(), lambda: NOW_MS
    )
    name = ranking_pb2.DESCRIPTOR.services_by_name["RankingService"].full_name

    async def build(readiness: Readiness) -> Application:
        def mount(server: grpc.aio.Server) -> None:
            ranking_pb2_grpc.add_RankingServiceServicer_to_server(servicer, server)

        return Application(services=(Mounted(name, mount),), authorize=as_everybody)

    async with running(build) as server:
        channel = open_channel(f"127.0.0.1:{server.port}")
        yield ranking_pb2_grpc.RankingServiceStub(channel)
        await channel.close()


async def test_the_server_answers_with_parallel_arrays(
    suite: Suite, stub: "ranking_pb2_grpc.RankingServiceAsyncStub"
) -> None:
    suite.decisions.is_reachable = False
    request = ranking_pb2.RecommendRequest(profile_id="p")
    answer = await call("ranking", stub.Recommend, request, timeout_s=5)
    assert len(answer.title_ids) == len(answer.scores) == len(answer.sources) == 20
    assert [int(part) for part in answer.degraded] == [Part.EVENTS]
    assert answer.trained_until.seconds == (NOW_MS - 1_000) // 1000


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (ranking_pb2.RecommendRequest(), "profile_id"),
        (ranking_pb2.RecommendRequest(profile_id="p", is_anonymous=True), "profile_id"),
        (
            ranking_pb2.RecommendRequest(profile_id="p", seed_title_ids=["t01", ""]),
            "seed_title_ids[1]",
        ),
        (ranking_pb2.RecommendRequest(profile_id="p", seed_title_ids=["t"] * 51), "seed_title_ids"),
        (
            ranking_pb2.RecommendRequest(
                profile_id="p", seed_title_ids=["t01"], seed_weights=[float("nan")]
            ),
            "seed_weights[0]",
        ),
        (ranking_pb2.RecommendRequest(profile_id="p", seed_weights=[1.0]), "seed_weights"),
        (ranking_pb2.RecommendRequest(profile_id="p", limit=-1), "limit"),
        (ranking_pb2.RecommendRequest(profile_id="p", limit=501), "limit"),
        (
            ranking_pb2.RecommendRequest(
                profile_id="p", request_time=Timestamp(seconds=NOW_MS * 10)
            ),
            "request_time",
        ),
    ],
)
async def test_the_server_names_the_field_that_is_wrong(
    stub: "ranking_pb2_grpc.RankingServiceAsyncStub",
    request_: ranking_pb2.RecommendRequest,
    field: str,
) -> None:
    with pytest.raises(InvalidField) as caught:
        await call("ranking", stub.Recommend, request_, timeout_s=5)
    assert caught.value.field == field
