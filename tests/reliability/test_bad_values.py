"""Ids and times that nobody may send, each named by whom it was sent to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from libs.faults import InvalidField
from libs.serving.channels import call
from libs.serving.status import fault_of
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from reprise.recap.v1 import (
    quiz_pb2,
    quiz_pb2_grpc,
    share_pb2,
    share_pb2_grpc,
    story_pb2,
    story_pb2_grpc,
)
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS, SERIES
from tests.made_events import watch
from tests.made_suite import Served, fill, served

BAD_IDS: Final = {
    "NUL": "a\x00b",
    "bidi": "a\u202eb",
    "isolate": "a\u2066b",
    "64 KB": "x" * 65_536,
    "129": "x" * 129,
    "empty": "",
}


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Served]:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as started:
        yield started


@pytest.mark.parametrize("value", BAD_IDS.values(), ids=BAD_IDS.keys())
async def test_a_bad_id_is_named(suite: Served, value: str) -> None:
    candidates = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    ranking = ranking_pb2_grpc.RankingServiceStub(suite.ranking)
    shares = share_pb2_grpc.ShareServiceStub(suite.recap)
    story = story_pb2_grpc.StoryServiceStub(suite.recap)
    quiz = quiz_pb2_grpc.QuizServiceStub(suite.recap)
    event = event_message(watch("e1", NOW_MS, title_id="t01"))
    event.profile_id = value
    profile = events_pb2.Profile(profile_id=value)
    title = candidates_pb2.Title(title_id=value, kind=candidates_pb2.TITLE_KIND_MOVIE, name="n")
    asked: list[tuple[Any, Message, str]] = [
        (ranking.Recommend, ranking_pb2.RecommendRequest(profile_id=value), "profile_id"),
        (
            events.UpsertProfiles,
            events_pb2.UpsertProfilesRequest(profiles=[profile]),
            "profiles[0].profile_id",
        ),
        (events.GetProfiles, events_pb2.GetProfilesRequest(profile_ids=[value]), "profile_ids[0]"),
        (events.ListHistory, events_pb2.ListHistoryRequest(profile_id=value), "profile_id"),
        (shares.PreviewShare, share_pb2.PreviewShareRequest(profile_id=value), "profile_id"),
        (shares.RevokeShare, share_pb2.RevokeShareRequest(profile_id=value), "profile_id"),
        (
            candidates.UpsertTitles,
            candidates_pb2.UpsertTitlesRequest(titles=[title]),
            "titles[0].title_id",
        ),
        (candidates.GetTitles, candidates_pb2.GetTitlesRequest(title_ids=[value]), "title_ids[0]"),
        (
            candidates.FindSimilarTitles,
            candidates_pb2.FindSimilarTitlesRequest(title_id=value),
            "title_id",
        ),
        (
            quiz.OfferQuiz,
            quiz_pb2.OfferQuizRequest(offer_id=value, profile_id="p"),
            "offer_id",
        ),
        (
            quiz.DismissQuiz,
            quiz_pb2.DismissQuizRequest(offer_id="o", profile_id=value),
            "profile_id",
        ),
        (quiz.StartQuiz, quiz_pb2.StartQuizRequest(quiz_id=value), "quiz_id"),
        (
            story.GetStoryRecap,
            story_pb2.GetStoryRecapRequest(profile_id="p", series_id=value),
            "series_id",
        ),
        (story.ListBeats, story_pb2.ListBeatsRequest(series_id=value), "series_id"),
        (
            story.UpsertBeats,
            story_pb2.UpsertBeatsRequest(
                series_id=SERIES, episodes=[story_pb2.EpisodeBeats(episode_id=value)]
            ),
            "episodes[0].episode_id",
        ),
    ]
    if value:  # no pack is "in the mood"
        pack = quiz_pb2.StartQuizRequest(quiz_id="z", pack_id=value)
        asked.append((quiz.StartQuiz, pack, "pack_id"))
    for method, request, field in asked:
        with pytest.raises(InvalidField) as caught:
            await call("service", method, request, timeout_s=20)
        assert caught.value.field == field
        assert len(str(caught.value)) < 1_000, "the text does not repeat what was sent"
    batch = events_pb2.RecordEventsRequest(events=[event])
    [rejection] = (await call("events", events.RecordEvents, batch, timeout_s=20)).rejections
    assert rejection.field == "profile_id"
    assert len(rejection.problem) < 1_000, "the text does not repeat what was sent"


BAD_TIMES: Final = {
    "before 1970": Timestamp(seconds=-1),
    "long before": Timestamp(seconds=-62_135_596_800),
    "a week ahead": Timestamp(seconds=2**33),
    "after 9999": Timestamp(seconds=2**62),
    "no nanos": Timestamp(seconds=1, nanos=-1),
}


@pytest.mark.parametrize("moment", BAD_TIMES.values(), ids=BAD_TIMES.keys())
async def test_a_bad_time_is_named(suite: Served, moment: Timestamp) -> None:
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    ranking = ranking_pb2_grpc.RankingServiceStub(suite.ranking)
    asked: list[tuple[Any, Message, str]] = [
        (
            ranking.Recommend,
            ranking_pb2.RecommendRequest(profile_id="p", request_time=moment),
            "request_time",
        ),
        (events.GetTitleFeatures, events_pb2.GetTitleFeaturesRequest(as_of=moment), "as_of"),
        (
            events.ListHistory,
            events_pb2.ListHistoryRequest(profile_id="p", as_of=moment),
            "as_of",
        ),
    ]
    for method, request, field in asked:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(request, timeout=20)
        fault = fault_of("service", caught.value)
        assert isinstance(fault, InvalidField)
        assert fault.field == field
