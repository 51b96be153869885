"""The walk of a new user: simulate, train, serve, ask; with three real processes."""

import dataclasses
from collections.abc import Callable

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli.moments import parse_moment
from cli.offline import Bundle, OfflineSuite, current_bundle
from cli.suite import Suite, target
from libs.domain.identifiers import DEFAULT_TENANT
from libs.domain.viewing import UNKNOWN_CONTEXT, Device, ViewingContext
from libs.models.retrieval_model import RetrievalModel
from libs.serving.decoding import timestamp
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import CUT, PROFILES, UNTIL, Home

pytestmark = pytest.mark.end_to_end

CUT_MS = parse_moment(CUT)
LIMIT = 20


@pytest.fixture
def ranking(suite: Suite) -> ranking_pb2_grpc.RankingServiceStub:
    return ranking_pb2_grpc.RankingServiceStub(
        grpc.insecure_channel(target(suite.settings, "ranking"))
    )


@pytest.fixture
def events(suite: Suite) -> events_pb2_grpc.EventsServiceStub:
    return events_pb2_grpc.EventsServiceStub(
        grpc.insecure_channel(target(suite.settings, "events"))
    )


def evaluation(
    profile_id: str, at: Timestamp, context: viewing_pb2.ViewingContext | None = None
) -> ranking_pb2.RecommendRequest:
    return ranking_pb2.RecommendRequest(
        profile_id=profile_id,
        limit=LIMIT,
        context=context,
        purpose=purpose_pb2.PURPOSE_EVALUATION,
        request_time=at,
    )


def profile_ids(home: Home) -> list[str]:
    # All that were simulated, and some that nobody has ever seen.
    return [f"p{number:06d}" for number in range(PROFILES)] + ["stranger-1", "stranger-2"]


def served(
    ranking: ranking_pb2_grpc.RankingServiceStub,
    ids: list[str],
    context: viewing_pb2.ViewingContext | None = None,
) -> dict[str, tuple[str, ...]]:
    answers = {}
    for profile_id in ids:
        request = evaluation(profile_id, timestamp(CUT_MS), context)
        answer = ranking.Recommend(request, timeout=10)
        assert not answer.degraded
        answers[profile_id] = tuple(answer.title_ids)
    return answers


def offline(
    home: Home, bundle: Bundle, ids: list[str], context: ViewingContext = UNKNOWN_CONTEXT
) -> dict[str, tuple[str, ...]]:
    suite = OfflineSuite(home.settings, DEFAULT_TENANT, bundle)
    answers = suite.lists(ids, at_ms=CUT_MS, limit=LIMIT, context=context)
    return {profile_id: answer.title_ids for profile_id, answer in answers.items()}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (None, UNKNOWN_CONTEXT),
        (
            viewing_pb2.ViewingContext(
                device=viewing_pb2.DEVICE_TV, country="PT", time_zone="Europe/Lisbon", kids=True
            ),
            ViewingContext(device=Device.TV, country="PT", time_zone="Europe/Lisbon", kids=True),
        ),
    ],
    ids=["unknown", "children's TV in Lisbon"],
)
def test_served_lists_equal_offline_lists_for_every_profile(
    trained_home: Home,
    ranking: ranking_pb2_grpc.RankingServiceStub,
    sent: viewing_pb2.ViewingContext | None,
    meant: ViewingContext,
) -> None:
    ids = profile_ids(trained_home)
    assert len(ids) >= 500
    bundle = current_bundle(trained_home.settings)
    lists = served(ranking, ids, sent)
    assert all(lists.values())
    assert lists == offline(trained_home, bundle, ids, meant)


def test_the_context_of_a_request_changes_its_list(
    ranking: ranking_pb2_grpc.RankingServiceStub,
) -> None:
    # Or equal lists in another context would say nothing about it.
    ids = ["p000001", "p000002", "p000003"]
    tv = viewing_pb2.ViewingContext(device=viewing_pb2.DEVICE_TV, country="PT", kids=True)
    assert served(ranking, ids, tv) != served(ranking, ids)


def one_leaf_changed(bundle: Bundle) -> Bundle:
    assert bundle.ranker is not None
    copy = type(bundle.ranker.booster)(model_str=bundle.ranker.booster.model_to_string())
    copy.set_leaf_output(0, 0, copy.get_leaf_output(0, 0) + 5.0)
    return Bundle(bundle.retrieval, dataclasses.replace(bundle.ranker, booster=copy))


def one_factor_changed(bundle: Bundle) -> Bundle:
    model = bundle.retrieval
    vectors = model.vectors.copy()
    vectors[0, 0] += 1.0
    changed = RetrievalModel.of(
        title_ids=model.title_ids,
        vectors=vectors,
        content=model.content,
        popularity=model.popularity,
        implicit=model.implicit,
        version=model.version,
        trained_until_ms=model.trained_until_ms,
    )
    return Bundle(changed, bundle.ranker)


@pytest.mark.parametrize("changed", [one_leaf_changed, one_factor_changed])
def test_one_changed_weight_on_one_side_is_noticed(
    trained_home: Home,
    ranking: ranking_pb2_grpc.RankingServiceStub,
    changed: Callable[[Bundle], Bundle],
) -> None:
    ids = profile_ids(trained_home)
    bundle = changed(current_bundle(trained_home.settings))
    assert served(ranking, ids) != offline(trained_home, bundle, ids)


def test_evaluate_beats_popularity_and_stays_below_the_truth(
    trained_home: Home, suite: Suite
) -> None:
    evaluated = trained_home.json("evaluate", "--at", CUT, "--served")
    judged = {one["name"]: one for one in evaluated["judged"]}
    assert evaluated["served_equal"] == evaluated["served_count"] >= 300
    assert judged["reprise"]["gain"]["low"] > 0
    assert judged["oracle (simulated)"]["ndcg"]["mean"] > judged["reprise"]["ndcg"]["mean"]


def test_evaluate_with_nothing_to_judge_says_so(trained_home: Home) -> None:
    failed = trained_home.reprise("evaluate", "--at", UNTIL, expect=1)
    assert "nobody did anything relevant in the 7 days after" in failed.stderr


def test_an_unknown_profile_gets_a_cold_answer(
    ranking: ranking_pb2_grpc.RankingServiceStub,
) -> None:
    answer = ranking.Recommend(
        ranking_pb2.RecommendRequest(
            profile_id="never-seen", context=viewing_pb2.ViewingContext(country="PT")
        ),
        timeout=5,
    )
    assert len(answer.title_ids) == LIMIT
    assert len(set(answer.title_ids)) == LIMIT
    assert not answer.degraded
    assert answer.page_id
    assert {name for one in answer.sources for name in one.source_names} == {"popular"}


def test_what_a_viewer_does_changes_the_next_answer(
    ranking: ranking_pb2_grpc.RankingServiceStub, events: events_pb2_grpc.EventsServiceStub
) -> None:
    profile_id = "p000003"
    request = ranking_pb2.RecommendRequest(profile_id=profile_id, limit=5)
    before = ranking.Recommend(request, timeout=5)
    now = Timestamp()
    now.GetCurrentTime()
    disliked = before.title_ids[0]
    events.RecordEvents(
        events_pb2.RecordEventsRequest(
            events=[
                events_pb2.Event(
                    event_id=f"{before.page_id}-thumb",
                    profile_id=profile_id,
                    kind=events_pb2.EVENT_KIND_THUMB,
                    occurred_at=now,
                    title_id=disliked,
                    thumb=events_pb2.Thumb(direction=events_pb2.THUMB_DIRECTION_DOWN),
                )
            ]
        ),
        timeout=5,
    )
    after = ranking.Recommend(request, timeout=5)
    assert disliked not in after.title_ids
    assert after.page_id != before.page_id


def test_the_command_line_shows_recommendations_and_status(
    trained_home: Home, suite: Suite
) -> None:
    assert trained_home.json("status")["ready"]
    answer = trained_home.json("recommend", "--profile", "p000007", "--device", "tv")
    assert len(answer["titles"]) == 10
    assert all(title["name"] for title in answer["titles"])
    shown = trained_home.reprise("recommend", "--profile", "p000007", "--at", CUT).stdout
    assert "For p000007" in shown


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (ranking_pb2.RecommendRequest(), "profile_id"),
        (ranking_pb2.RecommendRequest(profile_id="p\0"), "profile_id"),
        (ranking_pb2.RecommendRequest(profile_id="p" * 129), "profile_id"),
        (ranking_pb2.RecommendRequest(profile_id="p", limit=-1), "limit"),
        (ranking_pb2.RecommendRequest(profile_id="p", limit=2_000_000_000), "limit"),
        (ranking_pb2.RecommendRequest(profile_id="p", purpose=77), "purpose"),  # type: ignore[arg-type]  # on purpose
        (
            ranking_pb2.RecommendRequest(
                profile_id="p",
                context=viewing_pb2.ViewingContext(device=99),  # type: ignore[arg-type]  # on purpose
            ),
            "context.device",
        ),
        (
            ranking_pb2.RecommendRequest(
                profile_id="p", context=viewing_pb2.ViewingContext(time_zone="Mars/Olympus")
            ),
            "context.time_zone",
        ),
        (
            ranking_pb2.RecommendRequest(profile_id="p", request_time=Timestamp(seconds=-1)),
            "request_time",
        ),
    ],
)
def test_bad_input_names_the_field(
    ranking: ranking_pb2_grpc.RankingServiceStub,
    request_: ranking_pb2.RecommendRequest,
    field: str,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ranking.Recommend(request_, timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(f"{field}: ")
