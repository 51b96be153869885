"""The history of one profile: when its sessions begin, and all that happens in them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from libs.domain.decision import Decision
from libs.domain.event import Event
from libs.domain.profile import Profile
from libs.domain.viewing import zone
from libs.simulation.catalogue import Catalogue
from libs.simulation.choice import draw_by_weight
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.journal import Journal
from libs.simulation.logging_policy import build_policy
from libs.simulation.preferences import Preferences
from libs.simulation.sessions import run_session
from libs.simulation.tastes import DAYPARTS, Taste, daypart_of
from libs.simulation.watching import Viewer

_BETWEEN_SESSIONS_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class ProfileHistory:
    """All that one profile was shown and did; both in time order."""

    profile_id: str
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SessionStart:
    """When and on what a session begins; `device` is a row of DEVICES."""

    at_ms: int
    daypart: int
    device: int


def simulate_history(
    config: SimulationConfig,
    catalogue: Catalogue,
    profile: Profile,
    preferences: Preferences,
    index: int,
    activity: float,
) -> ProfileHistory:
    """Make the history of the profile at `index`; depends on no other profile.

    `activity` multiplies how many sessions there are.
    """
    rng = config.rng(Stream.HISTORY, index)
    journal = Journal(config.run_id, profile, config.until_ms)
    viewer = Viewer(
        catalogue=catalogue,
        preferences=preferences,
        policy=build_policy(preferences, config.rng(Stream.POLICY, index)),
        journal=journal,
        rng=rng,
        fatigue=np.zeros(len(catalogue.title_ids)),
        unfinished={},
        listed=set(),
        detail=config.detail,
    )
    free_ms = config.start_ms
    for start in _session_starts(config, profile, preferences.taste, activity, rng):
        if start.at_ms >= free_ms:
            ended_ms = run_session(viewer, start.at_ms, device=start.device, daypart=start.daypart)
            free_ms = ended_ms + _BETWEEN_SESSIONS_MS
    return ProfileHistory(profile.profile_id, tuple(journal.decisions), tuple(journal.events))


def _session_starts(
    config: SimulationConfig,
    profile: Profile,
    taste: Taste,
    activity: float,
    rng: np.random.Generator,
) -> list[SessionStart]:
    """Session starts in time order, at the viewer's own hours."""
    where = zone(profile.time_zone)
    first = datetime.fromtimestamp(config.start_ms / 1000, where).date()
    counts = rng.poisson(taste.sessions_per_day * activity).tolist()
    starts = []
    for day, count in enumerate(counts):
        date = first + timedelta(days=day)
        week = daypart_of(date.weekday(), 0)
        shares = taste.daypart_shares[week : week + DAYPARTS // 2]
        for _ in range(count):
            quarter = draw_by_weight(shares, rng)
            daypart = week + quarter
            hour, minute = divmod(int(rng.integers(quarter * 360, (quarter + 1) * 360)), 60)
            local = datetime(
                date.year, date.month, date.day, hour, minute, int(rng.integers(60)), tzinfo=where
            )
            device = draw_by_weight(taste.device_shares[daypart], rng)
            at_ms = int(local.timestamp() * 1000) + int(rng.integers(1000))
            if config.start_ms <= at_ms < config.until_ms:
                starts.append(SessionStart(at_ms, daypart, device))
    return sorted(starts, key=lambda start: start.at_ms)
