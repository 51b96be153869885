"""Ranking as two processes on one port."""

import asyncio
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from cli.moments import parse_moment
from cli.suite import Suite, target
from libs.serving.channels import call, open_channel
from libs.serving.decoding import timestamp
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import CUT, Home, home_at

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

PROFILES = 60
DEADLINE_S = 60


@pytest.fixture
def workers(breakable: tuple[Home, Suite]) -> Iterator[Suite]:
    home, _ = breakable
    settings = home_at(home.path).settings.model_copy(update={"workers": 2, "connections": 8})
    suite = Suite(settings)
    suite.start()
    try:
        suite.wait_ready(within_s=DEADLINE_S)
        yield suite
    finally:
        suite.stop()


def counted(suite: Suite) -> int:
    url = f"http://{suite.settings.host}:{suite.settings.ranking_metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as page:
        lines = page.read().decode().splitlines()
    return sum(
        int(float(line.split()[-1]))
        for line in lines
        if line.startswith("reprise_rpc_handled_total{") and "Recommend" in line
    )


async def test_both_answer_the_same_and_one_can_be_killed(workers: Suite) -> None:
    parent = psutil.Process(workers.process("ranking").pid)
    assert len(parent.children()) == 2
    for name in ("events", "candidates", "recap"):
        assert psutil.Process(workers.process(name).pid).children() == [], "one writer a file"
    async with open_channel(target(workers.settings, "ranking"), connections=8) as channel:
        recommend = ranking_pb2_grpc.RankingServiceStub(channel).Recommend

        async def slate(number: int) -> tuple[str, ...]:
            request = ranking_pb2.RecommendRequest(
                profile_id=f"p{number:06d}",
                purpose=purpose_pb2.PURPOSE_EVALUATION,
                request_time=timestamp(parse_moment(CUT)),
            )
            answer = await call("ranking", recommend, request, timeout_s=DEADLINE_S, waits=True)
            assert not answer.degraded
            return tuple(answer.title_ids)

        before = [await slate(number) for number in range(PROFILES)]
        assert counted(workers) == PROFILES
        again = asyncio.gather(*(slate(number) for number in range(PROFILES)))
        parent.children()[0].kill()
        assert await again == before
        assert [await slate(number) for number in range(PROFILES)] == before
