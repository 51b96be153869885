"""The catalogue as callers change, read and watch it."""

import contextlib
from typing import Any

import grpc.aio
import pytest

from libs.faults import InvalidField
from libs.serving.channels import call, open_channel
from libs.serving.title_codec import title, title_message
from libs.storage.memory_catalogue_store import MemoryCatalogueStore
from reprise.candidates.v1 import candidates_pb2
from tests.services.candidates.made_service import CATALOGUE, Stub, Suite, movie, retrieve, until


def watch_titles(channel: grpc.aio.Channel, after_sequence: int = 0) -> Any:
    return Stub(channel).WatchTitles(
        candidates_pb2.WatchTitlesRequest(after_sequence=after_sequence)
    )


class TestCatalogue:
    async def test_an_upserted_title_is_read_back_and_listed(
        self, channel: grpc.aio.Channel
    ) -> None:
        stub = Stub(channel)
        both = [movie(90), movie(90, "Renamed")]
        answer = await stub.UpsertTitles(
            candidates_pb2.UpsertTitlesRequest(titles=[title_message(value) for value in both])
        )
        assert answer.upserted_count == 1
        read = await stub.GetTitles(
            candidates_pb2.GetTitlesRequest(title_ids=["t90", "nobody", "t01", "t90"])
        )
        assert [title(message) for message in read.titles] == [both[1], movie(1)]

    async def test_a_bad_title_stops_the_whole_batch_and_is_named(
        self, channel: grpc.aio.Channel
    ) -> None:
        good, bad = title_message(movie(90)), title_message(movie(91))
        bad.name = ""
        stub = Stub(channel)
        request = candidates_pb2.UpsertTitlesRequest(titles=[good, good, good, bad])
        with pytest.raises(InvalidField) as refused:
            await call("candidates", stub.UpsertTitles, request, timeout_s=5)
        assert refused.value.field == "titles[3].name"
        read = await stub.GetTitles(candidates_pb2.GetTitlesRequest(title_ids=["t90"]))
        assert not read.titles

    async def test_pages_cover_the_catalogue_once(self, channel: grpc.aio.Channel) -> None:
        listed: list[str] = []
        token = ""
        while True:
            page = await Stub(channel).ListTitles(
                candidates_pb2.ListTitlesRequest(page_size=7, page_token=token)
            )
            listed += [message.title_id for message in page.titles]
            token = page.next_page_token
            if not token:
                break
        assert listed == sorted(value.title_id for value in CATALOGUE)

    async def test_a_deleted_title_is_no_longer_retrieved(self, channel: grpc.aio.Channel) -> None:
        assert 5 in (await retrieve(channel)).rows
        stub = Stub(channel)
        request = candidates_pb2.DeleteTitlesRequest(title_ids=["t05", "nobody", "t05"])
        assert (await stub.DeleteTitles(request)).deleted_count == 1

        async def is_retrieved() -> bool:
            return 5 in (await retrieve(channel)).rows

        await until(is_retrieved, False)

    @pytest.mark.parametrize(
        ("method", "request_", "named"),
        [
            ("UpsertTitles", candidates_pb2.UpsertTitlesRequest(), "titles"),
            ("GetTitles", candidates_pb2.GetTitlesRequest(title_ids=["a"] * 1_001), "title_ids"),
            ("GetTitles", candidates_pb2.GetTitlesRequest(title_ids=["a", ""]), "title_ids[1]"),
            ("DeleteTitles", candidates_pb2.DeleteTitlesRequest(), "title_ids"),
            ("ListTitles", candidates_pb2.ListTitlesRequest(page_size=-1), "page_size"),
            ("ListTitles", candidates_pb2.ListTitlesRequest(page_token="?"), "page_token"),  # noqa: S106
            ("FindSimilarTitles", candidates_pb2.FindSimilarTitlesRequest(), "title_id"),
            (
                "FindSimilarTitles",
                candidates_pb2.FindSimilarTitlesRequest(title_id="t01", limit=501),
                "limit",
            ),
        ],
    )
    async def test_a_bad_field_is_named(
        self, channel: grpc.aio.Channel, method: str, request_: Any, named: str
    ) -> None:
        with pytest.raises(InvalidField) as refused:
            await call("candidates", getattr(Stub(channel), method), request_, timeout_s=5)
        assert refused.value.field == named


class TestWatchTitles:
    async def test_a_snapshot_comes_in_parts_and_then_every_change(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        suite.store.upsert("default", [movie(number) for number in range(1_000, 2_500)])
        stub = Stub(channel)
        watch = watch_titles(channel)
        parts = [await watch.read()]
        while not parts[-1].sequence:
            parts.append(await watch.read())
        assert [part.is_snapshot for part in parts] == [True] * len(parts)
        assert max(len(part.titles) for part in parts) <= 1_000
        known = [message.title_id for part in parts for message in part.titles]
        assert len(known) == len(set(known)) == suite.store.count("default")

        await stub.DeleteTitles(candidates_pb2.DeleteTitlesRequest(title_ids=["t05"]))
        change = await watch.read()
        assert (list(change.deleted_title_ids), change.is_snapshot) == (["t05"], False)
        await stub.UpsertTitles(
            candidates_pb2.UpsertTitlesRequest(titles=[title_message(movie(5, "Back"))])
        )
        change = await watch.read()
        assert [message.name for message in change.titles] == ["Back"]
        assert change.sequence == suite.store.sequence("default")
        watch.cancel()

    async def test_resumes_after_a_sequence_without_a_snapshot(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        seen = suite.store.sequence("default")
        suite.store.upsert("default", [movie(90)])
        watch = watch_titles(channel, seen)
        at_once = await watch.read()
        assert not at_once.is_snapshot
        assert not at_once.titles
        assert at_once.sequence == seen
        change = await watch.read()
        assert [message.title_id for message in change.titles] == ["t90"]
        watch.cancel()

    @pytest.mark.parametrize("after_sequence", [0, 10_000])
    async def test_an_empty_catalogue_is_a_snapshot_too(
        self, suite: Suite, after_sequence: int
    ) -> None:
        suite.store = MemoryCatalogueStore()
        async with suite.served() as channel:
            watch = watch_titles(channel, after_sequence)
            part = await watch.read()
            assert (len(part.titles), part.is_snapshot) == (0, True)
            assert part.sequence > 0
            watch.cancel()

    async def test_ends_when_the_server_drains(self, suite: Suite) -> None:
        async with contextlib.AsyncExitStack() as held:
            async with suite.running() as server:
                channel = open_channel(f"127.0.0.1:{server.port}")
                watch = watch_titles(await held.enter_async_context(channel))
                assert (await watch.read()).is_snapshot
            assert await watch.read() is grpc.aio.EOF

    async def test_a_negative_sequence_is_refused(self, channel: grpc.aio.Channel) -> None:
        watch = watch_titles(channel, -1)
        with pytest.raises(grpc.aio.AioRpcError, match="after_sequence"):
            await watch.read()
