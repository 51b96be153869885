"""The events service is killed while it is written to."""

from pathlib import Path

import pytest

from tests.killed_ingest import ingest_and_kill

pytestmark = pytest.mark.end_to_end

SEED = 20_261_122
BACK_WITHIN_S = 5.0


def test_kills_during_ingest_lose_nothing_and_double_nothing(
    tmp_path: Path, kill_count: int
) -> None:
    back_s = ingest_and_kill(tmp_path, kills=kill_count, seed=SEED)
    assert len(back_s) == kill_count
    assert max(back_s) <= BACK_WITHIN_S
