"""Results of curated quizzes, shared over the whole suite in this process."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from reprise.common.v1 import viewing_pb2
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import share_pb2, share_pb2_grpc
from services.recap.settings import RecapSettings
from tests.made_bundle import catalogue
from tests.made_packs import HATS
from tests.made_suite import Served
from tests.services.recap.quiz.quiz_calls import Player
from tests.services.recap.share.test_endings import rate
from tests.services.recap.share.test_servicer import TIMEOUT_S, suite, upsert

__all__ = ["suite"]

PACK = (
    HATS.replace('"Which hat are you?"', '"أي قبعة أنت؟"\nlanguage = "ar"')
    .replace('"Fedora"', '"قبعة فيدورا"')
    .replace('"Dark."', '"تحب الظلال."')
)


@pytest.fixture
def packs(tmp_path: Path) -> None:
    folder = RecapSettings(home=tmp_path).quiz_packs_path
    folder.mkdir(parents=True)
    (folder / "hats.toml").write_text(PACK, encoding="utf-8")


async def ended(suite: Served, quiz_id: str = "z", **fields: Any) -> list[str]:
    """The slate of a quiz that "p" has played to its end, as ids."""
    player = Player(suite, quiz_id, "p", "hats")
    await player.start(**fields)
    result = await player.play()
    assert result.outcome.pack_name == "أي قبعة أنت؟"
    assert result.outcome.language == "ar"
    return [one.title_id for one in result.titles]


class Sharer:
    """Calls of a client that shares the quiz "z" of "p"."""

    def __init__(self, suite: Served) -> None:
        self.stub = share_pb2_grpc.ShareServiceStub(suite.recap)

    def asking(self, **changed: Any) -> share_pb2.PreviewShareRequest:
        fields = {"profile_id": "p", "quiz_id": "z", "card_ids": ["outcome", "tonight"]}
        return share_pb2.PreviewShareRequest(**fields | changed)

    async def preview(self, **changed: Any) -> Any:
        return await self.stub.PreviewShare(self.asking(**changed), timeout=TIMEOUT_S)

    async def create(self, share_id: str = "s", **changed: Any) -> Any:
        digest = (await self.preview(**changed)).preview_digest
        request = share_pb2.CreateShareRequest(
            share_id=share_id, preview=self.asking(**changed), preview_digest=digest
        )
        return await self.stub.CreateShare(request, timeout=TIMEOUT_S)

    async def get(self, token: str, **fields: Any) -> Any:
        request = share_pb2.GetSharedRequest(token=token, **fields)
        return await self.stub.GetShared(request, timeout=TIMEOUT_S)

    async def previewed(self, until: Callable[[Any], bool]) -> Any:
        """The preview, once a change of the catalogue has come."""
        async with asyncio.timeout(TIMEOUT_S):
            while not until(made := await self.preview()):
                pass
        return made


async def refused(answer: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    return caught.value.code(), str(caught.value.details())


def names(title_ids: list[str]) -> list[str]:
    return [catalogue()[title_id].name for title_id in title_ids]


async def test_what_a_pack_says_and_titles_of_its_slate_may_leave_and_nothing_else(
    packs: None, suite: Served
) -> None:
    slate = await ended(suite)
    made = await Sharer(suite).preview(display_name="Maren")
    outcome, tonight = made.cards
    assert outcome == share_pb2.SharedCard(
        card_id="outcome",
        headline="أي قبعة أنت؟",
        text="تحب الظلال.",
        kind=share_pb2.SHARED_CARD_KIND_OUTCOME,
        figure="قبعة فيدورا",
        language="ar",
    )
    assert tonight == share_pb2.SharedCard(
        card_id="tonight",
        headline="لي هذه الليلة",
        names=names(slate[:5]),
        kind=share_pb2.SHARED_CARD_KIND_LIST,
        language="ar",
    )
    # The one is shared without the other, and cards of a recap are none of a quiz.
    alone = await Sharer(suite).preview(card_ids=["minutes", "outcome"])
    assert list(alone.cards) == [outcome]
    assert list(alone.omitted_card_ids) == ["minutes"]


async def test_hidden_mature_and_kids_titles_of_the_slate_do_not_leave(
    packs: None, suite: Served
) -> None:
    slate = await ended(suite)
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    await rate(suite, slate[1], years=18)
    await rate(suite, slate[3], years=7)
    gone = set(names([slate[1], slate[3]]))
    made = await sharer.previewed(lambda made: gone.isdisjoint(made.cards[1].names))
    assert list(made.cards[1].names) == names([slate[0], slate[2], *slate[4:7]])
    hiding = await sharer.preview(hidden_title_ids=[slate[0]])
    assert list(hiding.cards[1].names) == names([slate[2], *slate[4:8]])
    # Nor do they leave by a token that was made before; none takes their place there.
    shown = await sharer.get(token)
    assert list(shown.cards[1].names) == names([slate[0], slate[2], slate[4]])
    assert shown.cards[0] == made.cards[0]


async def test_pictures_of_a_quiz_are_made_in_both_sizes(packs: None, suite: Served) -> None:
    await ended(suite)
    sharer = Sharer(suite)
    token = (await sharer.create(display_name="Maren")).token
    for image, size in (
        (share_pb2.IMAGE_FORMAT_PNG_STORY, (1080, 1920)),
        (share_pb2.IMAGE_FORMAT_PNG_LINK, (1200, 630)),
    ):
        for card_id in ("outcome", "tonight"):
            shown = await sharer.get(token, image=image, card_id=card_id)
            assert shown.image[:8] == b"\x89PNG\r\n\x1a\n"
            assert shown.image[16:24] == b"".join(side.to_bytes(4, "big") for side in size)
    svg = await sharer.get(token, image=share_pb2.IMAGE_FORMAT_SVG_LINK)
    assert "Maren – أي قبعة أنت؟ – قبعة فيدورا – تحب الظلال." in svg.image.decode()


async def test_a_share_outlives_its_quiz_and_ends_when_it_is_revoked(
    packs: None, suite: Served, tmp_path: Path
) -> None:
    await ended(suite)
    sharer = Sharer(suite)
    created = await sharer.create()
    shown = await sharer.get(created.token)
    with contextlib.closing(sqlite3.connect(RecapSettings(home=tmp_path).recap_path)) as file:
        assert file.execute("UPDATE quiz SET expires_ms = 1").rowcount == 1
        file.commit()
    assert (await refused(sharer.preview()))[0] is grpc.StatusCode.NOT_FOUND
    assert await sharer.get(created.token) == shown
    revocation = share_pb2.RevokeShareRequest(profile_id="p", share_id="s")
    assert (await sharer.stub.RevokeShare(revocation, timeout=TIMEOUT_S)).revoked_count == 1
    assert (await refused(sharer.get(created.token)))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_shared_quiz_is_exported_and_erased_with_the_profile(
    packs: None, suite: Served
) -> None:
    await ended(suite)
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    request = events_pb2.ExportProfileRequest(profile_id="p")
    parts = [part.json_lines async for part in events.ExportProfile(request, timeout=TIMEOUT_S)]
    lines = [json.loads(line) for line in "".join(parts).splitlines()]
    [share] = [line["data"] for line in lines if line["kind"] == "share"]
    assert "قبعة فيدورا" in share["content"]
    erasure = events_pb2.EraseProfileRequest(profile_id="p")
    assert (await events.EraseProfile(erasure, timeout=TIMEOUT_S)).is_complete
    assert (await refused(sharer.get(token)))[0] is grpc.StatusCode.NOT_FOUND
    assert (await refused(sharer.preview()))[0] is grpc.StatusCode.NOT_FOUND


async def test_nothing_of_nobody_is_shared_until_a_profile_is_named(
    packs: None, suite: Served
) -> None:
    anonymous = Player(suite, "z", "", "hats")
    await anonymous.start()
    sharer = Sharer(suite)
    code, told = await refused(sharer.preview(profile_id=""))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "profile_id: must be named: of a quiz that is nobody's nothing is kept" in told
    assert (await refused(sharer.preview()))[0] is grpc.StatusCode.NOT_FOUND
    anonymous.profile_id = "p"
    await anonymous.play()
    assert [card.card_id for card in (await sharer.preview()).cards] == ["outcome", "tonight"]


async def test_what_has_nothing_to_share_names_why(packs: None, suite: Served) -> None:
    sharer = Sharer(suite)
    await Player(suite, "begun", "p", "hats").start()
    mood = Player(suite, "mood", "p")
    await mood.play()
    silent = Player(suite, "silent", "p", "hats")
    await silent.play(lambda question: "dont_care")
    await ended(suite)
    for quiz_id, told in (
        ("begun", "has not ended yet"),
        ("mood", "is of no pack"),
        ("silent", "is of no pack, or nothing was answered"),
    ):
        code, details = await refused(sharer.preview(quiz_id=quiz_id))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert f"quiz_id: {told}" in details
    # Nor is it another profile's.
    assert (await refused(sharer.preview(profile_id="q")))[0] is grpc.StatusCode.NOT_FOUND
    assert (await refused(sharer.preview(quiz_id="")))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_sharing_a_quiz_needs_consent(packs: None, suite: Served) -> None:
    await ended(suite)
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    await upsert(suite, Profile("p", refused_consents=frozenset({Consent.SHARING})))
    assert (await refused(sharer.create("t")))[0] is grpc.StatusCode.FAILED_PRECONDITION
    assert (await refused(sharer.get(token)))[0] is grpc.StatusCode.NOT_FOUND


async def test_nothing_of_a_child_leaves(packs: None, suite: Served) -> None:
    await ended(suite)
    await ended(suite, "kids", context=viewing_pb2.ViewingContext(kids=True))
    sharer = Sharer(suite)
    for_kids = await sharer.preview(quiz_id="kids")
    assert not for_kids.cards
    assert list(for_kids.omitted_card_ids) == ["outcome", "tonight"]
    assert (await sharer.preview()).cards
    await upsert(suite, Profile("p", kids=True, given_consents=frozenset({Consent.SHARING})))
    assert not (await sharer.preview()).cards
