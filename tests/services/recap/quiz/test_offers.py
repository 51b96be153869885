"""OfferQuiz and DismissQuiz over real servers."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.profile import Profile
from libs.domain.rejection import Rejection
from libs.domain.title import Title, TitleKind
from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.faults import InvalidField, NotFound, PartUnavailable
from libs.features.profile_state import EMPTY, ProfileState
from libs.serving.channels import call
from libs.serving.profile_features import ProfileFeatures
from libs.storage.catalogue_store import SqliteCatalogueStore
from libs.storage.recap.database import open_file
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc
from services.candidates.settings import CandidatesSettings
from services.events.events_codec import event_message
from services.recap.outbox import Outbox
from services.recap.quiz.hold_out import HoldOut
from services.recap.quiz.kill_switch import LOOKED_AT_MS, KillSwitch
from services.recap.quiz.offers import Offers
from services.recap.quiz.prompt_policy import Refusal
from services.recap.quiz.prompts import Prompts
from services.recap.settings import RecapSettings
from tests.made_bundle import SERIES
from tests.made_recap import personal_tables_of
from tests.made_suite import Served, fill, served
from tests.services.recap.quiz.quiz_calls import history

WITHIN_S = 20.0


async def ask(suite: Served, method: str, request: Any) -> Any:
    stub = quiz_pb2_grpc.QuizServiceStub(suite.recap)
    return await call("recap", getattr(stub, method), request, timeout_s=WITHIN_S)


async def offer(suite: Served, profile_id: str = "p", offer_id: str = "o1", **more: Any) -> Any:
    request = quiz_pb2.OfferQuizRequest(offer_id=offer_id, profile_id=profile_id, **more)
    return await ask(suite, "OfferQuiz", request)


async def test_an_offer_and_its_dismissal_are_in_the_log_once(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    context = viewing_pb2.ViewingContext(time_zone="Europe/Lisbon", country="PT")
    async with served(tmp_path) as suite:
        answers = [await offer(suite, context=context) for _ in range(3)]
        dismissal = quiz_pb2.DismissQuizRequest(offer_id="o1", profile_id="p")
        dismissed = [await ask(suite, "DismissQuiz", dismissal) for _ in range(3)]
        events = await history(suite, "p", 2)
        refused = await offer(suite, offer_id="o2")
    assert [answer.is_offered for answer in answers] == [True] * 3
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert not any(answer.HasField("silenced_until") for answer in dismissed)
    assert [event.kind for event in events] == [
        events_pb2.EVENT_KIND_PROMPT_DISMISSED,
        events_pb2.EVENT_KIND_PROMPT_SHOWN,
    ]
    assert {event.prompt.prompt_id for event in events} == {"o1"}
    assert events[1].context == context
    assert refused.refusal == quiz_pb2.OFFER_REFUSAL_RECENT
    assert refused.HasField("earliest_time")


def left(title_id: str, profile_id: str, ago_ms: int) -> Event:
    """A title that the profile has left so long ago, hardly begun."""
    at_ms = time.time_ns() // 1_000_000 - ago_ms
    watched = WatchedInterval(0, 60_000, 1_800_000)
    return Event(profile_id, profile_id, EventKind.STOP, at_ms, title_id=title_id, detail=watched)


async def test_nothing_is_offered_while_something_plays_or_an_episode_is_fresh(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "default", "")
    store = SqliteCatalogueStore(CandidatesSettings(home=tmp_path).catalogue_path)
    last = Title("e2", TitleKind.EPISODE, "Its last", parent_id=SERIES, episode_number=2)
    store.upsert("default", [last])
    store.close()
    events = [
        left("t01", "plays", 0),
        left("e1", "goes on", 5 * 60_000),
        left("e1", "was long ago", 31 * 60_000),
        left("e2", "is through", 5 * 60_000),
        left("t01", "saw a film", 5 * 60_000),
    ]
    async with served(tmp_path) as suite:
        record = events_pb2.RecordEventsRequest(events=map(event_message, events))
        answer = await events_pb2_grpc.EventsServiceStub(suite.events).RecordEvents(record)
        assert list(answer.rejections) == []
        says = await offer(suite, is_playing=True)
        afterwards = await offer(suite)
        refusals = [(await offer(suite, one.profile_id)).refusal for one in events]
    assert says.refusal == quiz_pb2.OFFER_REFUSAL_PLAYING
    assert afterwards.is_offered, "a refusal has taken no slot"
    assert refusals == [
        quiz_pb2.OFFER_REFUSAL_PLAYING,
        quiz_pb2.OFFER_REFUSAL_NEXT_EPISODE,
        *[quiz_pb2.OFFER_REFUSAL_UNSPECIFIED] * 3,
    ]


async def test_the_kill_switch_needs_no_restart(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    path = RecapSettings(home=tmp_path).quiz_off_path
    path.parent.mkdir(parents=True)
    path.touch()
    async with served(tmp_path) as suite:
        off = await offer(suite)
        path.unlink()
        # A clock that nobody can turn here decides when it looks again.
        await asyncio.sleep(LOOKED_AT_MS / 1000)
        on = await offer(suite)
    assert off.refusal == quiz_pb2.OFFER_REFUSAL_SWITCHED_OFF
    assert on.is_offered


async def test_a_hold_out_is_never_offered_anything(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path, quiz_hold_out_ratio=1.0) as suite:
        answer = await offer(suite)
    assert (answer.is_offered, answer.refusal) == (False, quiz_pb2.OFFER_REFUSAL_HOLD_OUT)


class Unreadable:
    """A feature store that is away."""

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        raise PartUnavailable("profile features", "away")


class Idle:
    """A feature store of profiles that do nothing."""

    async def read(
        self, tenant: str, profile_id: str, *, as_of_ms: int | None, timeout_s: float
    ) -> tuple[Profile | None, ProfileState]:
        return None, EMPTY


class NoTitles:
    """A catalogue of so many versions; 0 has not arrived."""

    def __init__(self, version: int) -> None:
        self.titles: Mapping[str, Title] = {}
        self.version = version

    def episode_ids(self, titles: Mapping[str, Title]) -> Mapping[str, tuple[str, ...]]:
        return {}


class NoLog:
    """Nothing is sent in these tests."""

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        raise AssertionError(events)


@pytest.mark.parametrize(
    ("profiles", "version", "refusal"),
    [
        (Unreadable(), 1, Refusal.NOT_KNOWN),
        (Idle(), 0, Refusal.NOT_KNOWN),
        (Idle(), 1, Refusal.NONE),
    ],
)
async def test_while_it_cannot_be_known_what_a_profile_does_nothing_is_offered(
    tmp_path: Path, profiles: ProfileFeatures, version: int, refusal: Refusal
) -> None:
    with closing(open_file(tmp_path / "recap.sqlite")) as database:
        offers = Offers(
            Prompts(database, personal_tables_of(database)),
            Outbox(database, NoLog()),
            profiles,
            lambda tenant: NoTitles(version),
            KillSwitch(tmp_path / "off", lambda: 0),
            HoldOut(0, b"k"),
            Counter("offers", "Offers.", ("refusal",), registry=CollectorRegistry()),
            lambda: 10**12,
        )
        verdict = await offers.offer(
            "default", "p", "o", UNKNOWN_CONTEXT, lambda: 1.0, says_playing=False
        )
    assert verdict.refusal is refusal


async def test_what_is_wrong_with_a_request_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        for field, request in (
            ("offer_id", quiz_pb2.OfferQuizRequest(profile_id="p")),
            ("profile_id", quiz_pb2.OfferQuizRequest(offer_id="o")),
        ):
            with pytest.raises(InvalidField) as caught:
                await ask(suite, "OfferQuiz", request)
            assert caught.value.field == field
        unknown = quiz_pb2.DismissQuizRequest(offer_id="o", profile_id="p")
        with pytest.raises(NotFound):
            await ask(suite, "DismissQuiz", unknown)


async def test_erasing_through_events_leaves_nothing_of_offers(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        await offer(suite)
        events = events_pb2_grpc.EventsServiceStub(suite.events)
        export = events_pb2.ExportProfileRequest(profile_id="p")
        lines = [
            json.loads(line)
            async for part in events.ExportProfile(export)
            for line in part.json_lines.splitlines()
        ]
        receipt = await events.EraseProfile(events_pb2.EraseProfileRequest(profile_id="p"))
        left = [part async for part in events.ExportProfile(export)]
        with pytest.raises(NotFound):
            await offer(suite, offer_id="o2")
    kinds = {line["kind"] for line in lines if line["service"] == "recap"}
    assert {"prompt_state", "prompt_offer"} <= kinds
    assert receipt.is_complete
    assert left == []
