from pathlib import Path

import numpy as np
import pytest

from libs.domain.decision import Purpose
from libs.domain.viewing import ViewingContext
from libs.faults import PartUnavailable
from libs.serving.channels import open_channel
from services.recap.ranking_client import RankingClient, SlateQuery
from tests.free_ports import free_port
from tests.made_suite import fill, served

TIMEOUT_S = 20.0


async def test_a_live_slate_has_a_page_and_a_preview_has_none(tmp_path: Path) -> None:
    version = fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        client = RankingClient(suite.ranking)
        pages = {
            purpose: await client.recommend(
                "default",
                SlateQuery(purpose, 30, "p", ViewingContext(country="PT"), is_diverse=False),
                timeout_s=TIMEOUT_S,
            )
            for purpose in (Purpose.LIVE, Purpose.PREVIEW)
        }
        diverse = await client.recommend(
            "default",
            SlateQuery(Purpose.PREVIEW, 30, "p", ViewingContext(country="PT")),
            timeout_s=TIMEOUT_S,
        )
    live, preview = pages[Purpose.LIVE], pages[Purpose.PREVIEW]
    assert live.page_id
    assert preview.page_id == ""
    assert live.title_ids == preview.title_ids
    assert len(live.title_ids) == 30
    assert live.model_version == version
    assert live.degraded == ()
    assert (np.diff(live.scores) <= 0).all(), "the order of scores alone"
    assert diverse.title_ids != live.title_ids


async def test_somebody_anonymous_has_no_page_and_seeds_move_the_slate(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        client = RankingClient(suite.ranking)

        async def slate(*seeds: tuple[str, float]) -> tuple[str, ...]:
            query = SlateQuery(Purpose.LIVE, 50, seeds=seeds)
            page = await client.recommend("default", query, timeout_s=TIMEOUT_S)
            assert page.page_id == ""
            return page.title_ids

        plain, moved = await slate(), await slate(("t05", 1.0), ("t07", 1.0))
        without = await slate((plain[0], -1.0))
    assert plain != moved
    assert plain[0] not in without


async def test_what_ranking_refuses_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    fill(tmp_path, "default", "")
    async with served(tmp_path) as suite:
        client = RankingClient(suite.ranking)
        query = SlateQuery(Purpose.LIVE, 20, "p", seeds=(("t01", 99.0),))
        with pytest.raises(PartUnavailable):
            await client.recommend("default", query, timeout_s=TIMEOUT_S)


async def test_a_ranking_that_is_away_is_named() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(PartUnavailable) as caught:
            await RankingClient(channel).recommend(
                "default", SlateQuery(Purpose.LIVE, 20, "p"), timeout_s=TIMEOUT_S
            )
    assert caught.value.metadata["part"] == "ranking"
