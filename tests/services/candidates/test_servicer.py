"""Retrieval as callers see it."""

import asyncio
from typing import Any

import grpc.aio
import numpy as np
import pytest

from libs.faults import BundleNotLoaded, InvalidField, NotFound
from libs.serving.channels import call
from libs.serving.decoding import timestamp
from libs.serving.packed import pack_float32, pack_int32
from reprise.candidates.v1 import candidates_pb2
from reprise.common.v1 import purpose_pb2, viewing_pb2
from tests.services.candidates.made_service import (
    NOW_MS,
    TITLE_COUNT,
    Stub,
    Suite,
    retrieve,
    versions,
    write_bundle,
)


def packed(*rows: int) -> bytes:
    return pack_int32(np.array(rows, dtype=np.int32))


def weights(*values: float) -> bytes:
    return pack_float32(np.array(values, dtype=np.float32))


class TestRetrieveCandidates:
    async def test_returns_distinct_rows_each_with_a_source(
        self, channel: grpc.aio.Channel
    ) -> None:
        found = await retrieve(
            channel, history_rows=packed(3, 9), history_weights=weights(1, 0.5), limit=10
        )
        assert len(found.rows) == len(set(found.rows.tolist())) == 10
        assert (found.ranks >= 0).any(axis=1).all()
        assert (found.scores[found.ranks < 0] == 0).all()
        assert found.degraded == ()

    async def test_answers_a_profile_without_history_from_what_is_popular(
        self, channel: grpc.aio.Channel
    ) -> None:
        found = await retrieve(channel, limit=5)
        assert len(found.rows) == 5
        assert found.best_of("popular") == 5  # t05 is what is watched now

    async def test_never_returns_an_excluded_row(self, channel: grpc.aio.Channel) -> None:
        found = await retrieve(
            channel,
            history_rows=packed(3),
            history_weights=weights(1),
            excluded_rows=packed(3, 5, 7, 7),
        )
        assert not {3, 5, 7} & set(found.rows.tolist())

    async def test_shows_only_what_may_be_shown_there_and_to_them(
        self, channel: grpc.aio.Channel
    ) -> None:
        abroad = await retrieve(channel, context=viewing_pb2.ViewingContext(country="DE"))
        at_home = await retrieve(channel, context=viewing_pb2.ViewingContext(country="PT"))
        assert 38 not in abroad.rows
        assert 38 in at_home.rows
        assert 37 in at_home.rows
        for narrowed in (
            {"kids": True},
            {"context": viewing_pb2.ViewingContext(kids=True)},
            {"maturity_limit_years": 0},
        ):
            assert 37 not in (await retrieve(channel, **narrowed)).rows

    async def test_popularity_is_of_the_time_asked_and_asked_for_once(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        asked = {
            "request_time": timestamp(NOW_MS - 86_400_000),
            "context": viewing_pb2.ViewingContext(country="PT"),
            "purpose": purpose_pb2.PURPOSE_EVALUATION,
        }
        answers = await asyncio.gather(*(retrieve(channel, **asked) for _ in range(5)))
        assert {answer.best_of("popular") for answer in answers} == {11}
        assert len({answer.rows.tobytes() for answer in answers}) == 1
        assert suite.features.asked == [(NOW_MS - 86_400_000, "PT")]

    async def test_says_so_when_counters_of_then_cannot_be_had_and_tries_again(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        past = {"request_time": timestamp(NOW_MS - 1000)}
        suite.features.is_there = False
        assert (await retrieve(channel, **past)).degraded == (purpose_pb2.PART_TITLE_FEATURES,)
        suite.features.is_there = True
        assert (await retrieve(channel, **past)).degraded == ()
        degraded = suite.metrics.registry.get_sample_value(
            "reprise_degraded_total", {"part": "TITLE_FEATURES"}
        )
        assert degraded == 1

    async def test_answers_without_a_feature_store(self, suite: Suite) -> None:
        suite.features.is_there = False
        write_bundle(suite.bundles)
        async with suite.served() as channel:
            await suite.ready()
            found = await retrieve(channel, limit=3)
        assert found.degraded == (purpose_pb2.PART_TITLE_FEATURES,)
        assert len(found.rows) == 3

    async def test_refuses_a_bundle_that_is_not_loaded_and_names_those_that_are(
        self, channel: grpc.aio.Channel
    ) -> None:
        with pytest.raises(BundleNotLoaded) as refused:
            await retrieve(channel, bundle_version="v0")
        assert list(refused.value.loaded) == await versions(channel)

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"bundle_version": ""}, "bundle_version"),
            ({"limit": -1}, "limit"),
            ({"limit": 2_001}, "limit"),
            ({"history_rows": b"abc"}, "history_rows"),
            ({"history_rows": packed(TITLE_COUNT), "history_weights": weights(1)}, "history_rows"),
            ({"history_rows": packed(-1), "history_weights": weights(1)}, "history_rows"),
            ({"history_rows": packed(1)}, "history_weights"),
            ({"history_rows": packed(1), "history_weights": b"\0"}, "history_weights"),
            *(
                ({"history_rows": packed(1), "history_weights": weights(bad)}, "history_weights")
                for bad in (float("nan"), float("inf"), 0.0, -1.0)
            ),
            ({"history_rows": packed(*[1] * 2_001)}, "history_rows"),
            ({"excluded_rows": packed(TITLE_COUNT)}, "excluded_rows"),
            ({"maturity_limit_years": -1}, "maturity_limit_years"),
            ({"purpose": 99}, "purpose"),
            ({"context": viewing_pb2.ViewingContext(device=99)}, "context.device"),  # type: ignore[arg-type]
            ({"context": viewing_pb2.ViewingContext(country="de")}, "context.country"),
            ({"request_time": timestamp(NOW_MS + 2 * 86_400_000)}, "request_time"),
        ],
    )
    async def test_a_bad_field_is_named(
        self, channel: grpc.aio.Channel, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(InvalidField) as refused:
            await retrieve(channel, **fields)
        assert refused.value.field == named


class TestFindSimilarTitles:
    async def test_returns_the_nearest_others_in_order(self, channel: grpc.aio.Channel) -> None:
        answer = await Stub(channel).FindSimilarTitles(
            candidates_pb2.FindSimilarTitlesRequest(title_id="t03", limit=6)
        )
        assert len(answer.title_ids) == 6
        assert "t03" not in answer.title_ids
        assert list(answer.similarities) == sorted(answer.similarities, reverse=True)
        assert all(-1.001 <= cosine <= 1.001 for cosine in answer.similarities)

    async def test_a_title_outside_the_bundle_is_not_found(self, channel: grpc.aio.Channel) -> None:
        stub = Stub(channel)
        request = candidates_pb2.FindSimilarTitlesRequest(title_id="nobody")
        with pytest.raises(NotFound, match="nobody"):
            await call("candidates", stub.FindSimilarTitles, request, timeout_s=5)
