"""What ranking answered is in the events file, if and only if a viewer was to see it."""

import sqlite3
import time

import grpc
import pytest

from cli.suite import Suite, target
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.end_to_end

PROFILE = "p000011"
WITHIN_S = 10.0


def logged_pages(home: Home) -> list[str]:
    with sqlite3.connect(f"file:{home.settings.events_path}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT page_id FROM decisions WHERE profile_id = ? AND policy = 'ranker-mmr-1'",
            (PROFILE,),
        ).fetchall()
    connection.close()
    return [page_id for (page_id,) in rows]


def test_only_the_live_answer_is_logged(suite: Suite, trained_home: Home) -> None:
    assert not logged_pages(trained_home)
    with grpc.insecure_channel(target(suite.settings, "ranking")) as channel:
        ranking = ranking_pb2_grpc.RankingServiceStub(channel)
        for purpose in (purpose_pb2.PURPOSE_EVALUATION, purpose_pb2.PURPOSE_PREVIEW):
            request = ranking_pb2.RecommendRequest(profile_id=PROFILE, purpose=purpose)
            assert not ranking.Recommend(request, timeout=5).page_id
        # Decisions are written in order: once this one is there, nothing else is on its way.
        live = ranking.Recommend(ranking_pb2.RecommendRequest(profile_id=PROFILE), timeout=5)
    begin = time.monotonic()
    while not logged_pages(trained_home):
        assert time.monotonic() - begin < WITHIN_S
    assert logged_pages(trained_home) == [live.page_id]
