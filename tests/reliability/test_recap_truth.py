"""Every fact of many simulated profiles beside plain SQL over the export."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from libs.domain.event import DAY_MS
from libs.domain.title import Title
from libs.simulation.config import SimulationConfig
from libs.simulation.world import build_world
from services.recap.batch import build, open_run
from services.recap.year.period import LIFETIME, Period
from services.recap.year.split import viewer_id
from tests import made_strange
from tests.made_recaps import made_export
from tests.recap_oracle import Facts, oracle

# So late that some have not seen for half a year what they loved.
UNTIL_MS = 20_000 * DAY_MS
CUTOFF_MS = UNTIL_MS + 181 * DAY_MS
YEAR = Period(dt.date(2024, 9, 10), dt.date(2024, 10, 2))


def test_every_fact_of_every_profile_is_true(tmp_path: Path, profile_count: int) -> None:
    world = build_world(
        SimulationConfig(
            seed=23,
            until_ms=UNTIL_MS,
            profile_count=profile_count,
            title_count=300,
            days=40,
            movers_share=0.4,
            shared_share=0.4,
        )
    )
    made_export(
        tmp_path / "export",
        (event for history in world.histories() for event in history.events),
        cutoff_ms=CUTOFF_MS,
        profiles=list(world.profiles),
        partitions=8,
    )
    # Some titles are gone from the catalogue by then.
    titles = [title for place, title in enumerate(world.titles) if place % 37]
    for period in (LIFETIME, YEAR):
        found = _told(tmp_path, titles, period, CUTOFF_MS)
        assert len(found) > 30 * profile_count


def test_every_fact_of_strange_histories_is_true(tmp_path: Path, profile_count: int) -> None:
    rng = np.random.default_rng(7)
    count = min(profile_count, 1_500)
    titles = made_strange.strange_titles(rng)
    made_export(
        tmp_path / "export",
        made_strange.strange_events(rng, titles, count),
        cutoff_ms=made_strange.CUTOFF_MS,
        profiles=made_strange.strange_profiles(count),
    )
    for period in (LIFETIME, Period.of_year(2024), Period.of_key("2024-02-29..2024-02-29")):
        assert len(_told(tmp_path, titles, period, made_strange.CUTOFF_MS)) > 10 * count


def _told(folder: Path, titles: Sequence[Title], period: Period, cutoff_ms: int) -> Facts:
    """All facts of the export in `folder`, if both programs and the third say the same."""
    work = folder / period.key
    run = open_run(folder / "export", titles, period, work, threads=2)
    built = build(run, lambda done, total: None)
    found: Facts = {
        (viewer_id(profile_id, who) if who else profile_id, fact_id): value
        for place in range(len(run.partitions))
        for profile_id, who, recap in built.rows(place)
        for name, story in recap.stories.items()
        if name != "about"
        for fact_id, value in (story or {}).items()
    }
    wanted = oracle(
        folder / "export",
        work,
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        cutoff_ms=cutoff_ms,
        is_lifetime=period.is_lifetime,
    )
    assert built.disagreeing_count == 0
    assert found == wanted
    return found
