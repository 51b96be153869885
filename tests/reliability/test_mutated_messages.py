"""Thousands of wrong messages against every service: nothing breaks, hangs or grows."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import grpc
import grpc.aio
import numpy as np
import psutil
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.consent import Consent
from libs.domain.decision import Decision
from libs.domain.profile import Profile
from libs.faults import InvalidField
from libs.serving.authorization import ALLOWED
from libs.serving.beat_codec import episode_message
from libs.serving.channels import call
from libs.serving.decision_codec import decision_message
from libs.serving.decoding import timestamp
from libs.serving.packed import pack_float32, pack_int32
from libs.serving.profile_codec import profile_message
from libs.serving.status import fault_of
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.privacy.v1 import privacy_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from reprise.recap.v1 import (
    quiz_pb2,
    quiz_pb2_grpc,
    recap_pb2,
    share_pb2,
    share_pb2_grpc,
    story_pb2,
    story_pb2_grpc,
)
from services.events.events_codec import event_message
from tests.made_beats import beats_of
from tests.made_bundle import NOW_MS, SERIES, catalogue
from tests.made_events import impression, watch
from tests.made_share import made_share
from tests.made_suite import Served, fill, served
from tests.reliability.mutation import mutated

SEED: Final = 20_261_121
# Few enough that the harness refuses none for being too many: that is another test.
AT_ONCE: Final = 4
# Far above what any of them takes: what has no answer by then hangs.
HANGS_S: Final = 60.0
# What the allocator and SQLite's page cache may take once everything has been called.
GROWTH_BYTES: Final = 64 * 2**20

CODES: Final = frozenset({grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT})
# What a well-formed message may also be told, when it names something that is not there.
ALSO: Final[Mapping[str, frozenset[grpc.StatusCode]]] = {
    "FindSimilarTitles": frozenset({grpc.StatusCode.NOT_FOUND}),
    "RetrieveCandidates": frozenset({grpc.StatusCode.FAILED_PRECONDITION}),
    # Of another content, of a profile without consent, or for anything else than was previewed.
    "CreateShare": frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND}),
    "GetShared": frozenset({grpc.StatusCode.NOT_FOUND}),
    "GetStoryRecap": frozenset({grpc.StatusCode.NOT_FOUND}),
    "DismissQuiz": frozenset({grpc.StatusCode.NOT_FOUND}),
    "StartQuiz": frozenset({grpc.StatusCode.NOT_FOUND}),
}


def requests_of(version: str) -> dict[str, Message]:
    """A request that is answered, for every method of the contracts."""
    context = viewing_pb2.ViewingContext(
        time_zone="Europe/Lisbon", device=viewing_pb2.DEVICE_TV, country="PT", language="pt"
    )
    events = [
        event_message(watch("e1", NOW_MS, profile_id="p", title_id="t01")),
        event_message(impression("e2", NOW_MS, profile_id="p", title_id="t02")),
    ]
    for event in events:
        event.context.CopyFrom(context)
    rating = events_pb2.Event(
        event_id="e3",
        profile_id="p",
        kind=events_pb2.EVENT_KIND_RATING,
        occurred_at=timestamp(NOW_MS),
        title_id="t03",
        rating=events_pb2.Rating(value=4, scale=5),
    )
    decision = Decision("page", "p", NOW_MS, "policy", ("t01", "t02"), (0.5, 1.0))
    consents = frozenset({Consent.RECAP})
    profile = Profile("p", "a", False, 18, "PT", ("pt",), "Europe/Lisbon", consents)
    titles = [title_message(title) for title in list(catalogue().values())[-6:]]
    moment = timestamp(NOW_MS)
    return {
        "RecordEvents": events_pb2.RecordEventsRequest(events=[*events, rating]),
        "StreamEvents": events_pb2.StreamEventsRequest(events=[*events, rating], backfill=True),
        "RecordDecisions": events_pb2.RecordDecisionsRequest(
            decisions=[decision_message(decision)]
        ),
        "ListHistory": events_pb2.ListHistoryRequest(
            profile_id="p", page_size=10, title_id="t01", as_of=moment
        ),
        "ListHistoryColumns": events_pb2.ListHistoryColumnsRequest(
            profile_id="p", page_size=10, as_of=moment
        ),
        "ListWatchedDays": events_pb2.ListWatchedDaysRequest(
            profile_id="p", page_size=10, first_day="2025-01-01", last_day="2026-01-01"
        ),
        "GetProfileFeatures": events_pb2.GetProfileFeaturesRequest(profile_id="p", as_of=moment),
        "GetTitleFeatures": events_pb2.GetTitleFeaturesRequest(as_of=moment, country="PT"),
        "UpsertProfiles": events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)]),
        "GetProfiles": events_pb2.GetProfilesRequest(profile_ids=["p", "q"]),
        "ExportProfile": events_pb2.ExportProfileRequest(profile_id="p"),
        "EraseProfile": events_pb2.EraseProfileRequest(profile_id="gone"),
        "EraseProfileData": privacy_pb2.EraseProfileDataRequest(profile_id="gone"),
        "ExportProfileData": privacy_pb2.ExportProfileDataRequest(profile_id="p"),
        "RetrieveCandidates": candidates_pb2.RetrieveCandidatesRequest(
            bundle_version=version,
            limit=20,
            history_rows=pack_int32(np.array([1, 2], np.int32)),
            history_weights=pack_float32(np.array([1, 0.5], np.float32)),
            excluded_rows=pack_int32(np.array([1], np.int32)),
            context=context,
            request_time=moment,
            maturity_limit_years=18,
        ),
        "FindSimilarTitles": candidates_pb2.FindSimilarTitlesRequest(title_id="t01", limit=5),
        "UpsertTitles": candidates_pb2.UpsertTitlesRequest(titles=titles),
        "DeleteTitles": candidates_pb2.DeleteTitlesRequest(title_ids=["t50"]),
        "GetTitles": candidates_pb2.GetTitlesRequest(title_ids=["t01"]),
        "ListTitles": candidates_pb2.ListTitlesRequest(page_size=5),
        "WatchTitles": candidates_pb2.WatchTitlesRequest(after_sequence=1),
        "GetIndexStatus": candidates_pb2.GetIndexStatusRequest(),
        "Recommend": ranking_pb2.RecommendRequest(
            profile_id="p", limit=10, context=context, request_time=moment
        ),
        "UpsertBeats": story_pb2.UpsertBeatsRequest(
            series_id=SERIES, episodes=[episode_message(beats_of("e1"))]
        ),
        "ListBeats": story_pb2.ListBeatsRequest(series_id=SERIES, page_size=5),
        "GetRecap": recap_pb2.GetRecapRequest(
            profile_id="p",
            period=recap_pb2.Period(
                range=recap_pb2.DateRange(first_date="2024-01-01", last_date="2024-12-31")
            ),
            language="th",
            next_limit=3,
        ),
        "RecordRecaps": recap_pb2.RecordRecapsRequest(
            run_id="run",
            period="2024",
            cutoff_time=moment,
            rows=[
                recap_pb2.RecapRow(profile_id="p", stories_json='{"minutes": {"minutes.total": 7}}')
            ],
            cohorts_json='{"countries": {}, "axes": {}}',
            is_last=True,
        ),
        "GetStoryRecap": story_pb2.GetStoryRecapRequest(
            profile_id="p", series_id=SERIES, length=story_pb2.STORY_LENGTH_MINUTES_3
        ),
        "OfferQuiz": quiz_pb2.OfferQuizRequest(offer_id="o", profile_id="p", context=context),
        "DismissQuiz": quiz_pb2.DismissQuizRequest(offer_id="o", profile_id="p"),
        "StartQuiz": quiz_pb2.StartQuizRequest(
            quiz_id="z", profile_id="p", context=context, explain=True
        ),
    }


async def answer_of(suite: Served, start: Message) -> Message:
    """An answer to the first question of a quiz that was begun."""
    begun = await quiz_pb2_grpc.QuizServiceStub(suite.recap).StartQuiz(
        cast("quiz_pb2.StartQuizRequest", start)
    )
    return quiz_pb2.AnswerQuizQuestionRequest(
        quiz_id="z",
        profile_id="p",
        state=begun.state,
        question_id=begun.question.question_id,
        option_id=begun.question.options[0].option_id,
        explain=True,
    )


def is_of(method: str, service: str) -> bool:
    """Whether a method is of that package, or of that service of a package that has several."""
    return method.startswith((f"/reprise.{service}.", f"/reprise.{service}/"))


class Attack:
    """One service under mutated messages, and how it answered them."""

    def __init__(self, suite: Served, service: str, requests: Mapping[str, Message]) -> None:
        self._suite = suite
        self._methods = sorted(method for method in ALLOWED if is_of(method, service))
        self._requests = requests
        self._random = Random(f"{SEED} {service}")
        self.codes: Counter[str] = Counter()
        # Messages of which a batch was taken without some of its items.
        self.rejected = 0

    async def run(self, count: int) -> None:
        """Send `count` messages, some at once."""
        for _ in range(0, count, AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._send(*self._next()))

    def _next(self) -> tuple[str, list[bytes]]:
        method = self._random.choice(self._methods)
        request = self._requests[method.rpartition("/")[2]]
        count = self._random.randint(1, 3) if method.endswith("StreamEvents") else 1
        return method, [mutated(request, self._random) for _ in range(count)]

    async def _send(self, method: str, messages: Sequence[bytes]) -> None:
        code, details, answer = await outcome(self._suite, method, messages)
        name = method.rpartition("/")[2]
        self.rejected += bool(getattr(answer, "rejections", ()))
        self.codes[f"{name} {code.name}"] += 1
        assert code in CODES | ALSO.get(name, frozenset()), (
            f"{method} answered {code.name} ({details}) to {[one[:400] for one in messages]!r}"
        )


async def outcome(
    suite: Served, method: str, messages: Sequence[bytes]
) -> tuple[grpc.StatusCode, str, Message | None]:
    """How a method answers raw bytes; of a stream without end, the first answer."""
    service, name = method[1:].split("/")
    described = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    channel = suite.of(method)
    read = GetMessageClass(described.output_type).FromString
    answer: Any = None
    try:
        if described.client_streaming:
            answer = await exchanged(
                channel.stream_stream(method, response_deserializer=read), messages
            )
        elif described.server_streaming:
            many: Any = channel.unary_stream(method, response_deserializer=read)
            answers = many(messages[0], timeout=HANGS_S)
            answer = await answers.read()
            answers.cancel()
        else:
            one: Any = channel.unary_unary(method, response_deserializer=read)
            answer = await one(messages[0], timeout=HANGS_S)
    except grpc.aio.AioRpcError as error:
        return error.code(), str(error.details()), None
    return grpc.StatusCode.OK, "", answer


async def exchanged(method: Any, messages: Sequence[bytes]) -> Message | None:
    """The last answer to messages that are sent one by one, each after the answer before.

    gRPC's own client says INTERNAL, now and then, where a stream ends while it still sends.
    """
    stream, answer = method(timeout=HANGS_S), None
    for message in messages:
        await stream.write(message)
        answer = await stream.read()
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    return cast("Message | None", answer)


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[tuple[Served, dict[str, Message]]]:
    version = fill(tmp_path, "default", "")
    async with served(tmp_path) as started:
        requests = requests_of(version) | await made_share(started)
        requests["AnswerQuizQuestion"] = await answer_of(started, requests["StartQuiz"])
        yield started, requests


def resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize(
    "service",
    [
        *("events", "candidates", "ranking", "privacy"),
        *(
            "recap.v1.RecapService",
            "recap.v1.StoryService",
            "recap.v1.ShareService",
            "recap.v1.QuizService",
        ),
    ],
)
async def test_no_message_breaks_a_service(
    suite: tuple[Served, dict[str, Message]], service: str, message_count: int
) -> None:
    started, requests = suite
    attack = Attack(started, service, requests)
    await attack.run(message_count // 4)
    before = resident_bytes()
    await attack.run(message_count - message_count // 4)
    grown = resident_bytes() - before
    assert grown < GROWTH_BYTES, f"{grown / 2**20:.0f} MiB more"
    refused = sum(count for code, count in attack.codes.items() if "INVALID" in code)
    refused += attack.rejected
    assert refused > message_count / 10, "the messages were not wrong enough"
    for method in ALLOWED:
        if is_of(method, service):
            message = requests[method.rpartition("/")[2]]
            if isinstance(message, events_pb2.UpsertProfilesRequest):
                # A mutated message may have had the other profile erased, for good.
                message.profiles[0].profile_id = "nobody yet"
            elif isinstance(message, recap_pb2.RecordRecapsRequest):
                # Or have begun a run of that name with another cutoff.
                message.run_id = "not begun yet"
            code, details, _ = await outcome(started, method, [message.SerializeToString()])
            assert code is grpc.StatusCode.OK, f"{method} afterwards: {code.name} {details}"


BAD_IDS: Final = {
    "NUL": "a\x00b",
    "bidi": "a\u202eb",
    "isolate": "a\u2066b",
    "64 KB": "x" * 65_536,
    "129": "x" * 129,
    "empty": "",
}


@pytest.mark.parametrize("value", BAD_IDS.values(), ids=BAD_IDS.keys())
async def test_a_bad_id_is_named(suite: tuple[Served, dict[str, Message]], value: str) -> None:
    started, requests = suite
    candidates = candidates_pb2_grpc.CandidatesServiceStub(started.candidates)
    events = events_pb2_grpc.EventsServiceStub(started.events)
    ranking = ranking_pb2_grpc.RankingServiceStub(started.ranking)
    shares = share_pb2_grpc.ShareServiceStub(started.recap)
    story = story_pb2_grpc.StoryServiceStub(started.recap)
    quiz = quiz_pb2_grpc.QuizServiceStub(started.recap)
    event = events_pb2.Event()
    event.CopyFrom(requests["RecordEvents"].events[0])  # type: ignore[attr-defined]  # any message
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
async def test_a_bad_time_is_named(
    suite: tuple[Served, dict[str, Message]], moment: Timestamp
) -> None:
    started, _ = suite
    events = events_pb2_grpc.EventsServiceStub(started.events)
    ranking = ranking_pb2_grpc.RankingServiceStub(started.ranking)
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
