"""A suite with a profile that has something to share, and a client that shares it."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS, Event, EventKind, WatchedInterval
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.serving.profile_codec import profile_message
from libs.storage.catalogue_store import SqliteCatalogueStore
from libs.telemetry.traces import HEADER
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, share_pb2, share_pb2_grpc
from services.candidates.settings import CandidatesSettings
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS, catalogue
from tests.made_suite import Served, fill, served

TIMEOUT_S = 20.0
# One trace for all, which is otherwise what errors differ in.
TRACE = ((HEADER, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),)
ADULT, KIDS, HIDDEN = "t10", "t11", "t12"
MATURITY = {ADULT: 18, KIDS: 7}


def played(place: int, title_id: str, minutes: int, day: int) -> list[Event]:
    begun_ms = NOW_MS - day * DAY_MS
    context = ViewingContext(time_zone="Europe/Berlin")
    at = [(EventKind.PLAY, begun_ms, 0), (EventKind.STOP, begun_ms + minutes * 60_000, minutes)]
    return [
        Event(
            f"e{place}{kind.name}",
            "p",
            kind,
            at_ms,
            title_id=title_id,
            context=context,
            detail=WatchedInterval(0, until * 60_000, 7_200_000),
        )
        for kind, at_ms, until in at
    ]


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Served]:
    """Of the profile "p", who has seen ten films and agreed to share."""
    fill(tmp_path, "default", "")
    store = SqliteCatalogueStore(CandidatesSettings(home=tmp_path).catalogue_path)
    store.upsert(
        "default",
        [
            dataclasses.replace(title, maturity_years=MATURITY.get(title.title_id, 12))
            for title in catalogue().values()
        ],
    )
    store.close()
    async with served(tmp_path) as started:
        stub = events_pb2_grpc.EventsServiceStub(started.events)
        # The most minutes are of what may not leave.
        ids = [ADULT, KIDS, HIDDEN, *(f"t{number}" for number in range(20, 28))]
        events = [
            event_message(event)
            for place, title_id in enumerate(ids)
            for event in played(place, title_id, 100 - place, place + 1)
        ]
        await stub.RecordEvents(events_pb2.RecordEventsRequest(events=events), timeout=TIMEOUT_S)
        await upsert(started, Profile("p", given_consents=frozenset({Consent.SHARING})))
        yield started


async def upsert(suite: Served, profile: Profile) -> None:
    stub = events_pb2_grpc.EventsServiceStub(suite.events)
    request = events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)])
    await stub.UpsertProfiles(request, timeout=TIMEOUT_S)


def asking(**changed: Any) -> share_pb2.PreviewShareRequest:
    fields: dict[str, Any] = {
        "profile_id": "p",
        "period": recap_pb2.Period(lifetime=True),
        "card_ids": ["minutes", "titles", "edges"],
        "hidden_title_ids": [HIDDEN],
        "display_name": "Maren  🌙",
    }
    return share_pb2.PreviewShareRequest(**fields | changed)


class Sharer:
    """Calls of a client that shares."""

    def __init__(self, suite: Served) -> None:
        self.stub = share_pb2_grpc.ShareServiceStub(suite.recap)

    async def preview(self, **changed: Any) -> Any:
        return await self.stub.PreviewShare(asking(**changed), timeout=TIMEOUT_S)

    async def create(self, share_id: str = "s", **changed: Any) -> Any:
        previewed = await self.preview(**changed)
        request = share_pb2.CreateShareRequest(
            share_id=share_id, preview=asking(**changed), preview_digest=previewed.preview_digest
        )
        return await self.stub.CreateShare(request, timeout=TIMEOUT_S)

    async def get(self, token: str, **fields: Any) -> Any:
        request = share_pb2.GetSharedRequest(token=token, **fields)
        return await self.stub.GetShared(request, timeout=TIMEOUT_S, metadata=TRACE)

    async def revoke(self, share_id: str = "", profile_id: str = "p") -> int:
        request = share_pb2.RevokeShareRequest(profile_id=profile_id, share_id=share_id)
        return int((await self.stub.RevokeShare(request, timeout=TIMEOUT_S)).revoked_count)

    async def refused(self, answer: Any) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answer
        return caught.value


def error_bytes(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str, list[Any]]:
    return error.code(), str(error.details()), sorted(error.trailing_metadata() or ())
