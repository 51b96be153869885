"""A candidates service in this process: real server, small real bundle, catalogue in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import pytest
import structlog

from libs.artifacts.bundle import publish, tenant_root
from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.faults import BundleNotLoaded, InvalidField, NotFound, PartUnavailable
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import TitleChanges, TitleTable
from libs.models.fold_in import Implicit
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.application import Application, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.decoding import timestamp
from libs.serving.identity import as_everybody
from libs.serving.packed import pack_float32, pack_int32, unpack_float32, unpack_int32
from libs.serving.server import Running, running
from libs.serving.title_codec import title, title_message
from libs.storage.memory_catalogue_store import MemoryCatalogueStore
from libs.telemetry.metrics import ServiceMetrics
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from reprise.common.v1 import purpose_pb2, viewing_pb2
from services.candidates.__main__ import assemble
from services.candidates.servicer import NAME

NOW_MS = 1_760_000_000_000
TITLE_COUNT = 40
DIMENSIONS = 8


def movie(number: int, name: str = "") -> Title:
    return Title(f"t{number:02d}", TitleKind.MOVIE, name or f"Film {number}")


CATALOGUE = (
    *(movie(number) for number in range(TITLE_COUNT - 3)),
    Title("t37", TitleKind.MOVIE, "For adults", maturity_years=18),
    Title("t38", TitleKind.MOVIE, "At home", licence_windows=(LicenceWindow("PT"),)),
    Title("t39", TitleKind.SERIES, "A series"),
    Title("e1", TitleKind.EPISODE, "Its episode", parent_id="t39", episode_number=1),
)


def write_bundle(root: Path, *, seed: int = 0, now_ms: int = NOW_MS) -> str:
    """Publish a small bundle of the catalogue's titles; returns its version."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(TITLE_COUNT, DIMENSIONS)).astype(np.float32)
    content = rng.normal(size=(TITLE_COUNT, 6)).astype(np.float32)
    model = RetrievalModel.of(
        title_ids=tuple(f"t{number:02d}" for number in range(TITLE_COUNT)),
        vectors=vectors,
        content=content / np.linalg.norm(content, axis=1, keepdims=True),
        popularity=np.linspace(1, 0, TITLE_COUNT, dtype=np.float32),
        implicit=Implicit(vectors.T.astype(np.float64) @ vectors, 0.1, 10.0),
    )
    return publish(
        tenant_root(root, "default"),
        {RETRIEVAL_PART: model.write},
        now_ms=now_ms,
        trained_until_ms=now_ms - 1000,
        feature_schema_version=FEATURE_SCHEMA_VERSION,
    )


@dataclass
class Features:
    """Title counters, live and past: one watched title each, or nothing at all."""

    live_title: str = "t05"
    past_title: str = "t11"
    is_there: bool = True
    asked: list[tuple[int | None, str]] = field(default_factory=list)

    def title_changes(self, tenant: str, after_change: int) -> TitleChanges:
        self._check()
        ids = (self.live_title,) if after_change == 0 else ()
        return TitleChanges(
            countries=("",) * len(ids),
            title_ids=ids,
            counters=np.full((len(ids), TITLE_COUNTER_COUNT), 50.0),
            at_ms=np.full(len(ids), NOW_MS, dtype=np.int64),
            last_change=1,
        )

    async def title_table(
        self, tenant: str, *, as_of_ms: int | None, country: str, timeout_s: float
    ) -> TitleTable:
        self.asked.append((as_of_ms, country))
        self._check()
        counters = np.full((1, TITLE_COUNTER_COUNT), 50.0, dtype=np.float32)
        return TitleTable(as_of_ms or NOW_MS, (self.past_title,), counters, {country: counters})

    def _check(self) -> None:
        if not self.is_there:
            raise PartUnavailable("features", "not written yet")


@dataclass
class Suite:
    """Everything that a test may turn."""

    bundles: Path
    store: MemoryCatalogueStore = field(default_factory=MemoryCatalogueStore)
    features: Features = field(default_factory=Features)
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)
    readiness: Readiness = field(default_factory=Readiness)

    async def ready(self) -> None:
        """Return when the service says that its index is loaded."""
        await self.readiness.wait_until_ready()

    def running(self) -> AbstractAsyncContextManager[Running]:
        """The service, drained at the end."""
        return running(self.build, metrics=self.metrics, drain_ms=30_000)

    async def build(self, readiness: Readiness) -> Application:
        self.readiness = readiness
        return assemble(
            readiness=readiness,
            authorize=as_everybody,
            metrics=self.metrics,
            clock=lambda: NOW_MS,
            store=self.store,
            bundles=self.bundles,
            live=self.features,
            past=self.features,
            refresh_ms=10,
            most_tenants=4,
        )

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[grpc.aio.Channel]:
        """A channel to the running service."""
        async with (
            self.running() as server,
            open_channel(f"127.0.0.1:{server.port}") as channel,
        ):
            yield channel


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path / "bundles")
    made.store.upsert("default", CATALOGUE)
    return made


@pytest.fixture
async def channel(suite: Suite) -> AsyncIterator[grpc.aio.Channel]:
    write_bundle(suite.bundles)
    async with suite.served() as opened:
        await suite.ready()
        yield opened


Stub = candidates_pb2_grpc.CandidatesServiceStub
Request = candidates_pb2.RetrieveCandidatesRequest


def watch_titles(channel: grpc.aio.Channel, after_sequence: int = 0) -> Any:
    return Stub(channel).WatchTitles(
        candidates_pb2.WatchTitlesRequest(after_sequence=after_sequence)
    )


async def versions(channel: grpc.aio.Channel) -> list[str]:
    status = await Stub(channel).GetIndexStatus(candidates_pb2.GetIndexStatusRequest())
    return list(status.bundle_versions)


async def retrieve(channel: grpc.aio.Channel, **fields: Any) -> "Candidates":
    if "bundle_version" not in fields:
        [fields["bundle_version"]] = await versions(channel)
    answer = await call(
        "candidates", Stub(channel).RetrieveCandidates, Request(**fields), timeout_s=5
    )
    return Candidates(answer)


class Candidates:
    """An answer of RetrieveCandidates, unpacked."""

    def __init__(self, answer: candidates_pb2.RetrieveCandidatesResponse) -> None:
        self.rows = unpack_int32(answer.rows, "rows")
        shape = (len(self.rows), len(answer.source_names))
        self.names = tuple(answer.source_names)
        self.ranks = unpack_int32(answer.source_ranks, "ranks").reshape(shape)
        self.scores = unpack_float32(answer.source_scores, "scores").reshape(shape)
        self.degraded = tuple(answer.degraded)
        self.version = answer.bundle_version

    def best_of(self, source: str) -> int:
        """The row that the source put first."""
        return int(self.rows[self.ranks[:, self.names.index(source)] == 0][0])


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


class TestBundles:
    async def test_is_ready_when_an_index_is_loaded_and_not_before(self, suite: Suite) -> None:
        async with suite.served() as channel:
            assert not suite.readiness.is_ready(NAME)
            with pytest.raises(PartUnavailable, match="index"):
                await retrieve(channel, bundle_version="v1")
            version = write_bundle(suite.bundles)
            await suite.ready()
            assert await versions(channel) == [version]

    async def test_a_new_bundle_is_served_beside_the_one_before(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        [old] = await versions(channel)
        new = write_bundle(suite.bundles, seed=1, now_ms=NOW_MS + 1)
        await until(lambda: versions(channel), [new, old])
        for version in (old, new):
            assert (await retrieve(channel, bundle_version=version)).version == version

    async def test_one_flipped_bit_is_refused_and_the_old_one_keeps_serving(
        self, suite: Suite, channel: grpc.aio.Channel
    ) -> None:
        [old] = await versions(channel)
        staged = suite.bundles.parent / "staged" / "default"
        new = write_bundle(staged.parent, seed=1, now_ms=NOW_MS + 1)
        damaged = staged / new / RETRIEVAL_PART / "vectors.faiss"
        data = bytearray(damaged.read_bytes())
        data[len(data) // 2] ^= 1
        damaged.write_bytes(data)

        async def refused() -> list[str]:
            await versions(channel)
            return [line["version"] for line in lines if line["event"] == "bundle refused"]

        with structlog.testing.capture_logs() as lines:
            (staged / new).rename(suite.bundles / "default" / new)
            (staged / "CURRENT").rename(suite.bundles / "default" / "CURRENT")
            await until(refused, [new])
        assert await versions(channel) == [old]
        assert (await retrieve(channel)).version == old
        assert suite.readiness.is_ready(NAME)

    async def test_the_status_names_index_and_catalogue(self, channel: grpc.aio.Channel) -> None:
        status = await Stub(channel).GetIndexStatus(candidates_pb2.GetIndexStatusRequest())
        assert status.title_count == TITLE_COUNT
        assert status.trained_until == timestamp(NOW_MS - 1000)
        assert status.catalogue_title_count == len(CATALOGUE)


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


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until the answer is the one wanted: background work takes its time."""
    async with asyncio.timeout(20):
        while await ask() != wanted:
            pass
