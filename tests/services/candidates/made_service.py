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

from libs.artifacts.bundle import publish, tenant_root
from libs.domain.title import LicenceWindow, Title, TitleKind
from libs.faults import PartUnavailable
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_counters import TITLE_COUNTER_COUNT
from libs.features.title_table import TitleChanges, TitleTable
from libs.models.fold_in import Implicit
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.serving.application import Application, Readiness
from libs.serving.channels import call, open_channel
from libs.serving.identity import as_everybody
from libs.serving.packed import unpack_float32, unpack_int32
from libs.serving.server import Running, running
from libs.storage.memory_catalogue_store import MemoryCatalogueStore
from libs.telemetry.metrics import ServiceMetrics
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from services.candidates.__main__ import assemble

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


Stub = candidates_pb2_grpc.CandidatesServiceStub


async def versions(channel: grpc.aio.Channel) -> list[str]:
    status = await Stub(channel).GetIndexStatus(candidates_pb2.GetIndexStatusRequest())
    return list(status.bundle_versions)


async def retrieve(channel: grpc.aio.Channel, **fields: Any) -> "Candidates":
    if "bundle_version" not in fields:
        [fields["bundle_version"]] = await versions(channel)
    request = candidates_pb2.RetrieveCandidatesRequest(**fields)
    answer = await call("candidates", Stub(channel).RetrieveCandidates, request, timeout_s=5)
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


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until the answer is the one wanted: background work takes its time."""
    async with asyncio.timeout(20):
        while await ask() != wanted:
            pass
