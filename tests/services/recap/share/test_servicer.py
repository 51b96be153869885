"""ShareService over the whole suite in this process."""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS, Event, EventKind, WatchedInterval
from libs.domain.profile import Profile
from libs.domain.viewing import ViewingContext
from libs.serving.clock import now_ms
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


async def test_what_may_not_leave_is_not_in_the_preview(suite: Served) -> None:
    made = await Sharer(suite).preview()
    assert [card.card_id for card in made.cards] == ["minutes", "titles"]
    assert list(made.omitted_card_ids) == ["edges"]
    assert made.display_name == "Maren 🌙"
    minutes, titles = made.cards
    assert (minutes.figure, minutes.language) == ("1,045", "en")
    assert list(titles.names) == ["Film 20", "Film 21"]
    for name in ("Film 10", "Film 11", "Film 12", "For adults"):
        assert name not in str(made)


async def test_a_token_shows_exactly_what_was_previewed(suite: Served) -> None:
    sharer = Sharer(suite)
    previewed = await sharer.preview()
    created = await sharer.create()
    shown = await sharer.get(created.token)
    assert list(shown.cards) == list(previewed.cards)
    assert shown.display_name == previewed.display_name
    assert (shown.image, shown.image_media_type) == (b"", "")
    assert shown.expires_at == created.expires_at
    # Also when the recap has become another one.
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    more = [event_message(event) for event in played(90, "t30", 90, 20)]
    await events.RecordEvents(events_pb2.RecordEventsRequest(events=more), timeout=TIMEOUT_S)
    assert list((await sharer.preview()).cards) != list(previewed.cards)
    assert list((await sharer.get(created.token)).cards) == list(previewed.cards)


@pytest.mark.parametrize("language", ["ar", "th-TH", "xx"])
async def test_the_cards_speak_the_language_asked_for(suite: Served, language: str) -> None:
    made = await Sharer(suite).preview(language=language)
    assert {card.language for card in made.cards} == {
        {"ar": "ar", "th-TH": "th"}.get(language, "en")
    }


async def test_pictures_are_made_of_what_is_shared(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    story = await sharer.get(token, image=share_pb2.IMAGE_FORMAT_PNG_STORY, card_id="titles")
    assert story.image_media_type == "image/png"
    assert story.image[:8] == b"\x89PNG\r\n\x1a\n"
    assert story.image[16:24] == (1080).to_bytes(4, "big") + (1920).to_bytes(4, "big")
    link = await sharer.get(token, image=share_pb2.IMAGE_FORMAT_SVG_LINK)
    assert link.image_media_type == "image/svg+xml"
    assert b'width="1200" height="630"' in link.image
    again = await sharer.get(token, image=share_pb2.IMAGE_FORMAT_PNG_STORY, card_id="titles")
    assert again.image == story.image
    wrong = await sharer.refused(
        sharer.get(token, image=share_pb2.IMAGE_FORMAT_PNG_LINK, card_id="edges")
    )
    assert wrong.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_creating_again_gives_the_same_token(suite: Served) -> None:
    sharer = Sharer(suite)
    first, second = await sharer.create(), await sharer.create()
    assert (first.token, first.expires_at) == (second.token, second.expires_at)
    assert (await sharer.create("other")).token != first.token
    other = await sharer.refused(sharer.create(display_name="Somebody else"))
    assert other.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_only_what_was_seen_is_shared(suite: Served) -> None:
    sharer = Sharer(suite)
    seen = await sharer.preview()
    changes: list[dict[str, Any]] = [
        {"display_name": "X"},
        {"hidden_title_ids": []},
        {"card_ids": ["minutes"]},
    ]
    for changed in changes:
        request = share_pb2.CreateShareRequest(
            share_id="s", preview=asking(**changed), preview_digest=seen.preview_digest
        )
        error = await sharer.refused(sharer.stub.CreateShare(request, timeout=TIMEOUT_S))
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    nothing = await sharer.refused(sharer.create(card_ids=["edges"]))
    assert nothing.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_share_ends_within_a_year(suite: Served) -> None:
    sharer = Sharer(suite)
    digest = (await sharer.preview()).preview_digest
    for seconds in (now_ms() // 1000 - 5, now_ms() // 1000 + 400 * 86_400, -1):
        request = share_pb2.CreateShareRequest(
            share_id="s",
            preview=asking(),
            preview_digest=digest,
            expires_at=Timestamp(seconds=seconds),
        )
        error = await sharer.refused(sharer.stub.CreateShare(request, timeout=TIMEOUT_S))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    left_s = (await sharer.create()).expires_at.seconds - now_ms() / 1000
    assert 29.9 * 86_400 < left_s <= 30 * 86_400


async def test_sharing_needs_consent_and_ends_with_it(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    await upsert(suite, Profile("p", refused_consents=frozenset({Consent.SHARING})))
    assert (await sharer.refused(sharer.get(token))).code() is grpc.StatusCode.NOT_FOUND
    error = await sharer.refused(sharer.create("t"))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    # It takes consent to share, not to look.
    assert (await sharer.preview()).cards


async def test_nothing_of_a_kids_profile_leaves(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    await upsert(suite, Profile("p", kids=True, given_consents=frozenset({Consent.SHARING})))
    made = await sharer.preview()
    assert not made.cards
    assert list(made.omitted_card_ids) == ["minutes", "titles", "edges"]
    assert (await sharer.refused(sharer.get(token))).code() is grpc.StatusCode.NOT_FOUND
    error = await sharer.refused(sharer.create("t"))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_what_does_not_stand_for_anything_is_not_found_alike(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    turned = "B" if token[0] == "A" else "A"
    ended = token[:-1] + ("B" if token[-1] == "A" else "A")
    errors = [
        error_bytes(await sharer.refused(sharer.get(forged)))
        for forged in (turned + token[1:], ended, "A" * 64, "", "\u00e9", token + "A", "x" * 9_999)
    ]
    assert await sharer.revoke("s") == 1
    errors.append(error_bytes(await sharer.refused(sharer.get(token))))
    short = (await sharer.create("short")).token
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    await events.EraseProfile(events_pb2.EraseProfileRequest(profile_id="p"), timeout=TIMEOUT_S)
    errors.append(error_bytes(await sharer.refused(sharer.get(short))))
    assert errors[0][0] is grpc.StatusCode.NOT_FOUND
    assert any(key == "grpc-status-details-bin" for key, _ in errors[0][2])
    assert [error for error in errors if error != errors[0]] == []


async def test_revoking_ends_one_share_or_all_of_them(suite: Served) -> None:
    sharer = Sharer(suite)
    tokens = [(await sharer.create(name)).token for name in ("a", "b", "c")]
    assert await sharer.revoke("a") == 1
    assert await sharer.revoke("a") == 0
    assert await sharer.revoke("unknown") == 0
    assert await sharer.revoke("b", profile_id="q") == 0
    assert (await sharer.refused(sharer.get(tokens[0]))).code() is grpc.StatusCode.NOT_FOUND
    assert (await sharer.get(tokens[1])).cards
    # What was revoked does not come back by its id.
    again = await sharer.refused(sharer.create("a"))
    assert again.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await sharer.revoke() == 2
    assert (await sharer.refused(sharer.get(tokens[2]))).code() is grpc.StatusCode.NOT_FOUND


async def test_shares_are_exported_and_erased_with_the_profile(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    request = events_pb2.ExportProfileRequest(profile_id="p")
    parts = [part.json_lines async for part in events.ExportProfile(request, timeout=TIMEOUT_S)]
    lines = [json.loads(line) for line in "".join(parts).splitlines()]
    [share] = [line["data"] for line in lines if line["kind"] == "share"]
    assert share["share_id"] == "s"
    assert "Film 20" in share["content"]
    erased = await events.EraseProfile(
        events_pb2.EraseProfileRequest(profile_id="p"), timeout=TIMEOUT_S
    )
    assert erased.is_complete
    assert (await sharer.refused(sharer.get(token))).code() is grpc.StatusCode.NOT_FOUND
    # Nor is anything of it taken afterwards.
    assert (await sharer.refused(sharer.create())).code() in (
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.INVALID_ARGUMENT,
    )


async def test_cards_are_counted_before_any_is_looked_at(suite: Served) -> None:
    sharer = Sharer(suite)
    error = await sharer.refused(sharer.preview(card_ids=[""] * 100_000))
    assert "must be 1 to 20" in str(error.details())


@pytest.mark.parametrize(
    "changed",
    [
        {"profile_id": ""},
        {"profile_id": "a\u202eb"},
        {"period": recap_pb2.Period()},
        {"period": recap_pb2.Period(year=9_000)},
        {"card_ids": []},
        {"card_ids": ["minutes", "minutes"]},
        {"card_ids": [f"c{number}" for number in range(21)]},
        {"display_name": "x" * 301},
        {"display_name": "a\x00b"},
    ],
    ids=str,
)
async def test_nonsense_is_refused(suite: Served, changed: dict[str, Any]) -> None:
    sharer = Sharer(suite)
    error = await sharer.refused(sharer.preview(**changed))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
