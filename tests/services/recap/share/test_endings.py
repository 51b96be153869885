"""How shares end: by time, and by what may not leave any more."""

import asyncio
import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from libs.serving.title_codec import title_message
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from services.recap.settings import RecapSettings
from tests.made_bundle import catalogue
from tests.made_suite import Served
from tests.services.recap.share.test_servicer import TIMEOUT_S, Sharer, error_bytes, suite

__all__ = ["suite"]


async def rate(suite: Served, *title_ids: str, years: int) -> None:
    """Let the catalogue say for whom titles are."""
    stub = candidates_pb2_grpc.CandidatesServiceStub(suite.candidates)
    titles = [
        title_message(dataclasses.replace(catalogue()[title_id], maturity_years=years))
        for title_id in title_ids
    ]
    request = candidates_pb2.UpsertTitlesRequest(titles=titles)
    await stub.UpsertTitles(request, timeout=TIMEOUT_S)


async def shown(sharer: Sharer, token: str, until: Callable[[Any], bool]) -> Any:
    """What the token shows, or the error, once the catalogue's change has come."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                answer = await sharer.get(token)
            except grpc.aio.AioRpcError as error:
                answer = error
            if until(answer):
                return answer


async def test_a_title_that_becomes_mature_leaves_what_was_shared(suite: Served) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create(card_ids=["titles", "minutes"])).token
    first = (await sharer.get(token)).cards[0]
    assert list(first.names) == ["Film 20", "Film 21"]
    await rate(suite, "t20", years=18)
    # Two names are the least that the list has.
    less = await shown(sharer, token, lambda answer: len(answer.cards) < 2)
    assert [card.card_id for card in less.cards] == ["minutes"]
    assert "Film 20" not in str(less)
    picture = await sharer.refused(sharer.get(token, image=4, card_id="titles"))
    assert picture.code() is grpc.StatusCode.INVALID_ARGUMENT
    await rate(suite, "t20", years=12)
    again = await shown(sharer, token, lambda answer: len(answer.cards) == 2)
    assert again.cards[0] == first


@pytest.mark.parametrize("years", [7, 18])
async def test_a_share_of_which_nothing_may_leave_is_not_found(suite: Served, years: int) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create(card_ids=["titles"])).token
    await rate(suite, "t20", "t21", years=years)
    ended = await shown(sharer, token, lambda answer: isinstance(answer, grpc.aio.AioRpcError))
    forged = await sharer.refused(sharer.get("A" * 64))
    assert error_bytes(ended) == error_bytes(forged)


async def test_an_expired_token_is_as_unknown_as_a_forged_one(
    suite: Served, tmp_path: Path
) -> None:
    sharer = Sharer(suite)
    token = (await sharer.create()).token
    assert (await sharer.get(token)).cards
    with contextlib.closing(sqlite3.connect(RecapSettings(home=tmp_path).recap_path)) as file:
        assert file.execute("UPDATE share SET expires_ms = 1").rowcount == 1
        file.commit()
    expired = error_bytes(await sharer.refused(sharer.get(token)))
    assert expired[0] is grpc.StatusCode.NOT_FOUND
    assert expired == error_bytes(await sharer.refused(sharer.get("A" * 64)))


async def test_one_id_made_twice_at_once_is_one_share(suite: Served) -> None:
    sharer = Sharer(suite)
    made = await asyncio.gather(
        *(sharer.create("s", display_name=name) for name in ("A", "B") * 4),
        return_exceptions=True,
    )
    tokens = {one.token for one in made if not isinstance(one, BaseException)}
    refused = [one for one in made if isinstance(one, grpc.aio.AioRpcError)]
    assert len(tokens) == 1
    assert len(refused) == 4
    assert {one.code() for one in refused} == {grpc.StatusCode.INVALID_ARGUMENT}
