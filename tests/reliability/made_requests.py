"""A request that is answered, for every method of the contracts."""

from typing import cast

import numpy as np
from google.protobuf.message import Message

from libs.domain.consent import Consent
from libs.domain.decision import Decision
from libs.domain.profile import Profile
from libs.serving.beat_codec import episode_message
from libs.serving.decision_codec import decision_message
from libs.serving.decoding import timestamp
from libs.serving.packed import pack_float32, pack_int32
from libs.serving.profile_codec import profile_message
from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2
from reprise.privacy.v1 import privacy_pb2
from reprise.ranking.v1 import ranking_pb2
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc, recap_pb2, story_pb2
from services.events.events_codec import event_message
from tests.made_beats import beats_of
from tests.made_bundle import NOW_MS, SERIES, catalogue
from tests.made_events import impression, watch
from tests.made_suite import Served


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
            quiz_id="z",
            profile_id="p",
            context=context,
            explain=True,
            max_answers=5,
            without_stop_rules=True,
            ranking_limit=3,
            kinds=["genre", "pair", "length", "mood"],
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
        ranking_limit=3,
    )
