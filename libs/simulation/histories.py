"""The history of one profile: when its sessions begin, and all that happens in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

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
from libs.simulation.residences import Residence, is_packing, residence_at
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
    prepare: Callable[[str], Preferences],
    residences: tuple[Residence, ...],
    index: int,
    activity: float,
) -> ProfileHistory:
    """Make the history of the profile at `index`; depends on no other profile.

    `activity` multiplies how many sessions there are; `prepare` gives the preferences in a country.
    """
    rng = config.rng(Stream.HISTORY, index)
    place = 0
    preferences = prepare(residences[place].country)
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
    journal.move(residences[place].country, residences[place].time_zone)
    free_ms = config.start_ms
    for start in _session_starts(config, residences, preferences.taste, activity, rng):
        if start.at_ms >= free_ms:
            if residence_at(residences, start.at_ms) != place:
                place = residence_at(residences, start.at_ms)
                _move(viewer, residences[place], prepare, config.rng(Stream.POLICY, index))
            ended_ms = run_session(viewer, start.at_ms, device=start.device, daypart=start.daypart)
            free_ms = ended_ms + _BETWEEN_SESSIONS_MS
    return ProfileHistory(profile.profile_id, tuple(journal.decisions), tuple(journal.events))


def _move(
    viewer: Viewer,
    residence: Residence,
    prepare: Callable[[str], Preferences],
    policy_rng: np.random.Generator,
) -> None:
    """Other licences and another clock; the same taste, and the policy errs as it did."""
    viewer.journal.move(residence.country, residence.time_zone)
    viewer.preferences = prepare(residence.country)
    viewer.policy = build_policy(viewer.preferences, policy_rng)


def _session_starts(
    config: SimulationConfig,
    residences: tuple[Residence, ...],
    taste: Taste,
    activity: float,
    rng: np.random.Generator,
) -> list[SessionStart]:
    """Session starts in time order, at the viewer's own hours."""
    zones = [zone(residence.time_zone) for residence in residences]
    first = datetime.fromtimestamp(config.start_ms / 1000, zones[0]).date()
    counts = rng.poisson(taste.sessions_per_day * activity).tolist()
    starts = []
    for number, count in enumerate(counts):
        day = first + timedelta(days=number)
        where = zones[_residence_on(residences, day)]
        week = daypart_of(day.weekday(), 0)
        shares = taste.daypart_shares[week : week + DAYPARTS // 2]
        for _ in range(count):
            quarter = draw_by_weight(shares, rng)
            daypart = week + quarter
            hour, minute = divmod(int(rng.integers(quarter * 360, (quarter + 1) * 360)), 60)
            local = datetime(
                day.year, day.month, day.day, hour, minute, int(rng.integers(60)), tzinfo=where
            )
            device = draw_by_weight(taste.device_shares[daypart], rng)
            at_ms = int(local.timestamp() * 1000) + int(rng.integers(1000))
            if config.start_ms <= at_ms < config.until_ms and not is_packing(residences, at_ms):
                starts.append(SessionStart(at_ms, daypart, device))
    return sorted(starts, key=lambda start: start.at_ms)


def _residence_on(residences: tuple[Residence, ...], day: date) -> int:
    """Whose clock a calendar day goes by: of the place at noon UTC."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return residence_at(residences, int(noon.timestamp() * 1000))
