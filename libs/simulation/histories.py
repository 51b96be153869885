"""The history of one profile: when its sessions begin, and all that happens in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

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
from libs.simulation.members import Member
from libs.simulation.preferences import Preferences
from libs.simulation.residences import Residence, is_packing, residence_at
from libs.simulation.sessions import run_session
from libs.simulation.tastes import DAYPARTS, daypart_of
from libs.simulation.watching import Viewer

_BETWEEN_SESSIONS_MS = 5 * 60_000

# The preferences of a member while it is in a country.
Prepare: TypeAlias = Callable[[Member, str], Preferences]


@dataclass(frozen=True, slots=True)
class ProfileHistory:
    """All that one profile was shown and did; both in time order."""

    profile_id: str
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]
    member_of: Mapping[str, int]  # truth: who watched, by session_id; no event tells it


@dataclass(frozen=True, slots=True)
class SessionStart:
    """When, by whom and on what a session begins; `device` is a row of DEVICES."""

    at_ms: int
    member: int
    daypart: int
    device: int


def simulate_history(
    config: SimulationConfig,
    catalogue: Catalogue,
    profile: Profile,
    members: tuple[Member, ...],
    residences: tuple[Residence, ...],
    prepare: Prepare,
    index: int,
    activity: float,
) -> ProfileHistory:
    """Make the history of the profile at `index`; depends on no other profile.

    `activity` multiplies how many sessions there are.
    """
    rng = config.rng(Stream.HISTORY, index)
    journal = Journal(config.run_id, profile, config.until_ms)
    place = 0
    viewers = _settle(config, catalogue, members, residences[place], prepare, index, journal, rng)
    member_of: dict[str, int] = {}
    starts = [
        start
        for number, member in enumerate(members)
        for start in _session_starts(config, residences, number, member, activity, rng)
    ]
    free_ms = config.start_ms
    for start in sorted(starts, key=lambda start: start.at_ms):
        if start.at_ms < free_ms:
            continue
        if residence_at(residences, start.at_ms) != place:
            place = residence_at(residences, start.at_ms)
            _move(viewers, members, residences[place], prepare, config.rng(Stream.POLICY, index))
        viewer = viewers[start.member]
        ended_ms = run_session(viewer, start.at_ms, device=start.device, daypart=start.daypart)
        member_of[journal.session_id] = start.member
        free_ms = ended_ms + _BETWEEN_SESSIONS_MS
    return ProfileHistory(
        profile.profile_id, tuple(journal.decisions), tuple(journal.events), member_of
    )


def _settle(
    config: SimulationConfig,
    catalogue: Catalogue,
    members: tuple[Member, ...],
    residence: Residence,
    prepare: Prepare,
    index: int,
    journal: Journal,
    rng: np.random.Generator,
) -> list[Viewer]:
    """Everybody on the profile, before anything has happened."""
    journal.move(residence.country, residence.time_zone)
    preferences = [prepare(member, residence.country) for member in members]
    policy = build_policy(*preferences, rng=config.rng(Stream.POLICY, index))
    return [
        Viewer(
            catalogue=catalogue,
            preferences=own,
            shown=preferences[0],
            policy=policy,
            journal=journal,
            rng=rng,
            fatigue=np.zeros(len(catalogue.title_ids)),
            unfinished={},
            listed=set(),
            is_child=member.is_child,
            detail=config.detail,
        )
        for member, own in zip(members, preferences, strict=True)
    ]


def _move(
    viewers: list[Viewer],
    members: tuple[Member, ...],
    residence: Residence,
    prepare: Prepare,
    policy_rng: np.random.Generator,
) -> None:
    """Other licences and another clock; the same tastes, and the policy errs as it did."""
    preferences = [prepare(member, residence.country) for member in members]
    policy = build_policy(*preferences, rng=policy_rng)
    for viewer, own in zip(viewers, preferences, strict=True):
        viewer.journal.move(residence.country, residence.time_zone)
        viewer.preferences, viewer.shown, viewer.policy = own, preferences[0], policy


def _session_starts(
    config: SimulationConfig,
    residences: tuple[Residence, ...],
    number: int,
    member: Member,
    activity: float,
    rng: np.random.Generator,
) -> Iterator[SessionStart]:
    """Session starts of the member of that number, at its own hours, by day."""
    taste = member.taste
    zones = [zone(residence.time_zone) for residence in residences]
    first = datetime.fromtimestamp(config.start_ms / 1000, zones[0]).date()
    counts = rng.poisson(taste.sessions_per_day * activity).tolist()
    for day_number, count in enumerate(counts):
        day = first + timedelta(days=day_number)
        where = zones[_residence_on(residences, day)]
        week = daypart_of(day.weekday(), 0)
        shares = taste.daypart_shares[week : week + DAYPARTS // 2]
        for _ in range(count):
            quarter = draw_by_weight(shares, rng)
            daypart = week + quarter
            hour, minute = divmod(int(rng.integers(*member.minutes[quarter])), 60)
            local = datetime(
                day.year, day.month, day.day, hour, minute, int(rng.integers(60)), tzinfo=where
            )
            device = draw_by_weight(taste.device_shares[daypart], rng)
            at_ms = int(local.timestamp() * 1000) + int(rng.integers(1000))
            if config.start_ms <= at_ms < config.until_ms and not is_packing(residences, at_ms):
                yield SessionStart(at_ms, number, daypart, device)


def _residence_on(residences: tuple[Residence, ...], day: date) -> int:
    """Whose clock a calendar day goes by: of the place at noon UTC."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return residence_at(residences, int(noon.timestamp() * 1000))
