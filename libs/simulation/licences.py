"""Licence windows: where and when a title may be shown."""

import numpy as np

from libs.domain.title import LicenceWindow, TitleKind
from libs.simulation.config import DAY_MS, SimulationConfig
from libs.simulation.geography import COUNTRIES
from libs.simulation.traits import Traits


def draw_licences(
    config: SimulationConfig, traits: Traits, rng: np.random.Generator
) -> list[tuple[LicenceWindow, ...]]:
    """The windows of each title, by row, at most one a country; none: everywhere, always.

    What is released in the simulated days or after opens at its release, a live stream is open
    for two days, one title in twenty leaves during or soon after the simulated days, one in
    twelve is licensed in some countries only.
    """
    leaves = rng.random(config.title_count) < 0.05
    is_limited = rng.random(config.title_count) < 0.08
    windows = []
    for row in range(config.title_count):
        age_days = int(traits.age_days[row])
        start_ms = config.until_ms - age_days * DAY_MS if age_days < config.days else 0
        end_ms = 0
        if traits.kind[row] == TitleKind.LIVE:
            start_ms = config.start_ms + int(rng.integers(config.days + 7)) * DAY_MS
            end_ms = start_ms + 2 * DAY_MS
        elif leaves[row]:
            earliest_ms = max(start_ms, config.start_ms)
            end_ms = earliest_ms + int(rng.integers(7, config.days + 28)) * DAY_MS
        codes = [""]
        if is_limited[row]:
            home = int(traits.country[row])
            others = rng.permutation(len(COUNTRIES))[: int(rng.integers(1, 5))]
            codes = [COUNTRIES[place].code for place in sorted({home, *others.tolist()})]
        is_free = codes == [""] and not start_ms and not end_ms
        windows.append(
            () if is_free else tuple(LicenceWindow(code, start_ms, end_ms) for code in codes)
        )
    return windows
