"""Two tenants on one suite: every method, over real servers."""

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from libs.domain.decision import Decision
from libs.domain.profile import Profile
from libs.serving.authorization import ALLOWED
from libs.serving.beat_codec import episode_message
from libs.serving.decision_codec import decision_message
from libs.serving.decoding import timestamp
from libs.serving.identity import Role
from libs.serving.profile_codec import profile_message
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.privacy.v1 import privacy_pb2, privacy_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from reprise.recap.v1 import (
    quiz_pb2,
    quiz_pb2_grpc,
    recap_pb2,
    recap_pb2_grpc,
    share_pb2,
    share_pb2_grpc,
    story_pb2,
    story_pb2_grpc,
)
from services.events.events_codec import event_message
from tests.made_beats import beats_of
from tests.made_bundle import NOW_MS, SERIES, catalogue
from tests.made_events import watch
from tests.made_share import SHARER, made_share
from tests.made_suite import Served, fill
from tests.made_tokens import bearer
from tests.reliability.made_guard import TIMEOUT_S, guarded_suite

EVERY_ROLE = tuple(Role)
ACME: dict[str, Any] = {"title_id": "a-t01", "metadata": bearer("acme", *EVERY_ROLE)}


class Tenant:
    """One tenant's view of the suite; remembers which methods it has called."""

    def __init__(self, suite: Served, name: str) -> None:
        self._suite = suite
        self._metadata = bearer(name, *EVERY_ROLE)
        self.called: set[str] = set()
        self._stubs: dict[str, Any] = {
            "events": events_pb2_grpc.EventsServiceStub(suite.events),
            "candidates": candidates_pb2_grpc.CandidatesServiceStub(suite.candidates),
            "ranking": ranking_pb2_grpc.RankingServiceStub(suite.ranking),
            "share": share_pb2_grpc.ShareServiceStub(suite.recap),
            "privacy": privacy_pb2_grpc.PersonalDataServiceStub(suite.ranking),
            "story": story_pb2_grpc.StoryServiceStub(suite.recap),
            "quiz": quiz_pb2_grpc.QuizServiceStub(suite.recap),
            "recap": recap_pb2_grpc.RecapServiceStub(suite.recap),
        }

    def begin(self, service: str, method: str, request: Any) -> Any:
        self.called.add(method)
        call = getattr(self._stubs[service], method)
        return call(request, timeout=TIMEOUT_S, metadata=self._metadata)

    async def events(self, method: str, request: Any) -> Any:
        return await self.begin("events", method, request)

    async def stream(self, *requests: events_pb2.StreamEventsRequest) -> Any:
        """The last acknowledgement of a stream."""
        answers = [answer async for answer in self.begin("events", "StreamEvents", iter(requests))]
        return answers[-1]

    async def candidates(self, method: str, request: Any) -> Any:
        return await self.begin("candidates", method, request)

    async def recommend(self, profile_id: str) -> Any:
        request = ranking_pb2.RecommendRequest(profile_id=profile_id, limit=40)
        return await self.begin("ranking", "Recommend", request)


async def code_of(answer: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    return caught.value.code()


async def test_a_tenant_never_sees_what_is_anothers(
    tmp_path: Path, provider_key: rsa.RSAPrivateKey
) -> None:
    versions = {name: fill(tmp_path, name, f"{name[0]}-") for name in ("acme", "bravo")}
    async with guarded_suite(tmp_path, provider_key) as suite:
        acme, bravo = Tenant(suite, "acme"), Tenant(suite, "bravo")
        await _write_as(acme)
        await _see_own(acme, versions["acme"])
        await _see_nothing(bravo, versions)
        await _change_nothing(bravo, acme)
        await _share_nothing(bravo, acme, await made_share(suite, **ACME))
        await _tell_nothing_of_others(acme, bravo)
        await _play_nothing_of_others(acme, bravo)
        await _tell_no_recap_of_others(acme, bravo)
    methods = {method.rpartition("/")[2] for method in ALLOWED if method.startswith("/reprise.")}
    assert bravo.called == methods, "a method that this test does not try with a foreign tenant"


async def _write_as(tenant: Tenant) -> None:
    event = event_message(watch("e1", NOW_MS, profile_id="p", title_id="a-t01"))
    await tenant.events("RecordEvents", events_pb2.RecordEventsRequest(events=[event]))
    await tenant.stream(
        events_pb2.StreamEventsRequest(events=[event_message(watch("e2", NOW_MS, profile_id="p"))])
    )
    decision = Decision("page", "p", NOW_MS, "policy", ("a-t01",), (0.5,))
    await tenant.events(
        "RecordDecisions", events_pb2.RecordDecisionsRequest(decisions=[decision_message(decision)])
    )
    profile = Profile("p", kids=True, country="PT")
    await tenant.events(
        "UpsertProfiles", events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)])
    )


async def _see_own(acme: Tenant, version: str) -> None:
    history = await acme.events("ListHistory", events_pb2.ListHistoryRequest(profile_id="p"))
    assert {event.event_id for event in history.events} == {"e1", "e2"}
    [profile] = (
        await acme.events("GetProfiles", events_pb2.GetProfilesRequest(profile_ids=["p"]))
    ).profiles
    assert profile.kids
    answer = await acme.recommend("p")
    assert answer.title_ids
    assert all(title_id.startswith("a-") for title_id in answer.title_ids)
    assert answer.model_version == version
    assert not answer.degraded


async def _see_nothing(bravo: Tenant, versions: dict[str, str]) -> None:
    history = await bravo.events("ListHistory", events_pb2.ListHistoryRequest(profile_id="p"))
    assert not history.events
    columns = events_pb2.ListHistoryColumnsRequest(profile_id="p")
    assert not (await bravo.events("ListHistoryColumns", columns)).event_ids
    lived = events_pb2.ListWatchedDaysRequest(profile_id="p")
    assert not (await bravo.events("ListWatchedDays", lived)).days
    found = await bravo.events("GetProfiles", events_pb2.GetProfilesRequest(profile_ids=["p"]))
    assert not found.profiles
    features = await bravo.events(
        "GetProfileFeatures", events_pb2.GetProfileFeaturesRequest(profile_id="p")
    )
    assert not features.HasField("profile")
    assert not features.features.title_ids
    table = await bravo.events("GetTitleFeatures", events_pb2.GetTitleFeaturesRequest())
    assert not table.title_ids
    theirs = candidates_pb2.GetTitlesRequest(title_ids=["a-t01", "a-t02"])
    assert not (await bravo.candidates("GetTitles", theirs)).titles
    listed = await bravo.candidates("ListTitles", candidates_pb2.ListTitlesRequest(page_size=1_000))
    assert {title.title_id for title in listed.titles} == set(catalogue("b-"))
    similar = candidates_pb2.FindSimilarTitlesRequest(title_id="a-t01")
    answer = bravo.begin("candidates", "FindSimilarTitles", similar)
    assert await code_of(answer) is grpc.StatusCode.NOT_FOUND
    status = await bravo.candidates("GetIndexStatus", candidates_pb2.GetIndexStatusRequest())
    assert list(status.bundle_versions) == [versions["bravo"]]
    request = candidates_pb2.RetrieveCandidatesRequest(bundle_version=versions["acme"])
    answer = bravo.begin("candidates", "RetrieveCandidates", request)
    assert await code_of(answer) is grpc.StatusCode.FAILED_PRECONDITION
    watched = bravo.begin("candidates", "WatchTitles", candidates_pb2.WatchTitlesRequest())
    first = await watched.read()
    watched.cancel()
    assert {title.title_id for title in first.titles} == set(catalogue("b-"))
    own = events_pb2.ExportProfileRequest(profile_id="p")
    assert [answer async for answer in bravo.begin("events", "ExportProfile", own)] == []
    watched = events_pb2.ListWatchedDaysRequest(profile_id="p")
    assert not (await bravo.events("ListWatchedDays", watched)).days
    waiting = privacy_pb2.ExportProfileDataRequest(profile_id="p")
    assert [answer async for answer in bravo.begin("privacy", "ExportProfileData", waiting)] == []
    slate = await bravo.recommend("p")
    assert slate.title_ids
    assert all(title_id.startswith("b-") for title_id in slate.title_ids)
    assert slate.model_version == versions["bravo"]


async def _change_nothing(bravo: Tenant, acme: Tenant) -> None:
    event = event_message(watch("e1", NOW_MS, profile_id="p", title_id="b-t01"))
    recorded = await bravo.events("RecordEvents", events_pb2.RecordEventsRequest(events=[event]))
    assert (recorded.recorded_count, recorded.duplicate_count) == (1, 0)
    streamed = await bravo.stream(events_pb2.StreamEventsRequest(events=[event]))
    assert (streamed.total_recorded_count, streamed.total_duplicate_count) == (0, 1)
    decision = decision_message(Decision("page", "p", NOW_MS, "other", ("b-t01",), (1.0,)))
    request = events_pb2.RecordDecisionsRequest(decisions=[decision])
    assert (await bravo.events("RecordDecisions", request)).recorded_count == 1
    upsert = events_pb2.UpsertProfilesRequest(profiles=[profile_message(Profile("p"))])
    await bravo.events("UpsertProfiles", upsert)
    gone = candidates_pb2.DeleteTitlesRequest(title_ids=list(catalogue("a-")))
    assert (await bravo.candidates("DeleteTitles", gone)).deleted_count == 0
    title = title_message(next(iter(catalogue("a-").values())))
    title.name = "Changed"
    await bravo.candidates("UpsertTitles", candidates_pb2.UpsertTitlesRequest(titles=[title]))
    erased = await bravo.events("EraseProfile", events_pb2.EraseProfileRequest(profile_id="p"))
    assert erased.is_complete
    assert (erased.event_count, erased.had_profile) == (1, True)
    waiting = privacy_pb2.EraseProfileDataRequest(profile_id="p")
    assert (await bravo.begin("privacy", "EraseProfileData", waiting)).erased_count == 0
    [kept] = (
        await acme.candidates(
            "GetTitles", candidates_pb2.GetTitlesRequest(title_ids=[title.title_id])
        )
    ).titles
    assert kept.name != "Changed"
    [profile] = (
        await acme.events("GetProfiles", events_pb2.GetProfilesRequest(profile_ids=["p"]))
    ).profiles
    assert profile.kids
    history = await acme.events("ListHistory", events_pb2.ListHistoryRequest(profile_id="p"))
    assert len(history.events) == 2


async def _tell_nothing_of_others(acme: Tenant, bravo: Tenant) -> None:
    beats = [episode_message(beats_of("a-e1"))]
    series_id = f"a-{SERIES}"
    theirs = story_pb2.UpsertBeatsRequest(series_id=series_id, episodes=beats)
    assert (await acme.begin("story", "UpsertBeats", theirs)).beat_count == 2
    answer = bravo.begin("story", "UpsertBeats", theirs)
    assert await code_of(answer) is grpc.StatusCode.INVALID_ARGUMENT
    answer = bravo.begin(
        "story",
        "GetStoryRecap",
        story_pb2.GetStoryRecapRequest(profile_id="p", series_id=series_id),
    )
    assert await code_of(answer) is grpc.StatusCode.NOT_FOUND
    listing = story_pb2.ListBeatsRequest(series_id=series_id)
    assert not (await bravo.begin("story", "ListBeats", listing)).episodes
    assert list((await acme.begin("story", "ListBeats", listing)).episodes) == beats


async def _share_nothing(bravo: Tenant, acme: Tenant, requests: dict[str, Any]) -> None:
    """`requests` are those by which acme has shared."""
    preview = await bravo.begin("share", "PreviewShare", requests["PreviewShare"])
    assert not preview.cards
    answer = bravo.begin("share", "CreateShare", requests["CreateShare"])
    assert await code_of(answer) is grpc.StatusCode.FAILED_PRECONDITION
    answer = bravo.begin("share", "GetShared", requests["GetShared"])
    assert await code_of(answer) is grpc.StatusCode.NOT_FOUND
    revocation = share_pb2.RevokeShareRequest(profile_id=SHARER)
    assert (await bravo.begin("share", "RevokeShare", revocation)).revoked_count == 0
    assert (await acme.begin("share", "GetShared", requests["GetShared"])).cards
    assert (await acme.begin("share", "RevokeShare", revocation)).revoked_count == 1


async def _play_nothing_of_others(acme: Tenant, bravo: Tenant) -> None:
    """The same ids are others in another tenant, and its states are nobody's."""
    offer = quiz_pb2.OfferQuizRequest(offer_id="o", profile_id="q")
    for tenant in (acme, bravo):
        assert (await tenant.begin("quiz", "OfferQuiz", offer)).is_offered
    only = quiz_pb2.OfferQuizRequest(offer_id="mine", profile_id="r")
    assert (await acme.begin("quiz", "OfferQuiz", only)).is_offered
    dismissal = quiz_pb2.DismissQuizRequest(offer_id="mine", profile_id="r")
    assert await code_of(bravo.begin("quiz", "DismissQuiz", dismissal)) is grpc.StatusCode.NOT_FOUND
    start = quiz_pb2.StartQuizRequest(
        quiz_id="z", profile_id="q", explain=True, max_answers=5, ranking_limit=5
    )
    begun = {tenant: await tenant.begin("quiz", "StartQuiz", start) for tenant in (acme, bravo)}
    for tenant, prefix in ((acme, "a-"), (bravo, "b-")):
        likeliest = begun[tenant].belief.top_title_ids
        assert likeliest
        assert all(title_id.startswith(prefix) for title_id in likeliest)
        ranked = begun[tenant].ranking.title_ids
        assert ranked
        assert all(title_id.startswith(prefix) for title_id in ranked)
    answer = quiz_pb2.AnswerQuizQuestionRequest(
        quiz_id="z",
        profile_id="q",
        state=begun[acme].state,
        question_id=begun[acme].question.question_id,
        option_id=begun[acme].question.options[0].option_id,
    )
    refused = bravo.begin("quiz", "AnswerQuizQuestion", answer)
    assert await code_of(refused) is grpc.StatusCode.INVALID_ARGUMENT
    assert (await acme.begin("quiz", "AnswerQuizQuestion", answer)).state
    again = await bravo.begin("quiz", "StartQuiz", start)
    assert again.question == begun[bravo].question


async def _tell_no_recap_of_others(acme: Tenant, bravo: Tenant) -> None:
    run = recap_pb2.RecordRecapsRequest(
        run_id="run",
        period="lifetime",
        cutoff_time=timestamp(NOW_MS),
        rows=[
            recap_pb2.RecapRow(
                profile_id="theirs", stories_json='{"minutes": {"minutes.total": 7}}'
            )
        ],
        is_last=True,
    )
    wanted = recap_pb2.GetRecapRequest(profile_id="theirs", period=recap_pb2.Period(lifetime=True))
    for tenant, kept in ((acme, True), (bravo, False)):
        if kept:
            stored = [one async for one in tenant.begin("recap", "RecordRecaps", iter([run]))]
            assert [one.recorded_count for one in stored] == [1]
        assert (await tenant.begin("recap", "GetRecap", wanted)).is_precomputed == kept
    # The same run of another tenant is another run.
    run.rows[0].profile_id = "own"
    assert [one async for one in bravo.begin("recap", "RecordRecaps", iter([run]))]
    assert (await acme.begin("recap", "GetRecap", wanted)).is_precomputed
