"""Where a profile lived when: some households move, some travel and come back."""

import dataclasses
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from libs.domain.profile import Profile
from libs.simulation.config import DAY_MS, SimulationConfig, Stream
from libs.simulation.geography import PLACES

PACKING_MS: Final = DAY_MS // 2  # no session begins so shortly before a move
_STAYS_SHARE: Final = 0.5  # of those who move; the others come back
_TRIP_DAYS: Final = (5, 45)


@dataclass(frozen=True, slots=True)
class Residence:
    """A place and since when (Unix ms); it holds until the next one."""

    from_ms: int
    country: str
    time_zone: str


def settled(config: SimulationConfig, profile: Profile) -> tuple[Residence, ...]:
    """The residences of somebody who never moves."""
    return (Residence(config.start_ms, profile.country, profile.time_zone),)


def draw_residences(config: SimulationConfig, home: Profile) -> tuple[Residence, ...]:
    """The residences of a profile in time order, its home first; a household moves together."""
    rng = config.rng(Stream.MOVES, int(home.account_id[1:]))
    at_home = settled(config, home)
    if rng.random() >= config.movers_share:
        return at_home
    places = [
        (place.code, zone)
        for place in PLACES
        for zone in place.time_zones
        if zone != home.time_zone
    ]
    country, time_zone = places[int(rng.integers(len(places)))]
    leaves_ms = config.start_ms + int(rng.integers(config.days * DAY_MS))
    away = Residence(leaves_ms, country, time_zone)
    if rng.random() < _STAYS_SHARE:
        return (*at_home, away)
    back_ms = leaves_ms + int(rng.integers(_TRIP_DAYS[0] * DAY_MS, _TRIP_DAYS[1] * DAY_MS))
    if back_ms >= config.until_ms:
        return (*at_home, away)
    return (*at_home, away, dataclasses.replace(at_home[0], from_ms=back_ms))


def residence_at(residences: tuple[Residence, ...], at_ms: int) -> int:
    """The place in `residences` of the one that holds at `at_ms`; the first before all."""
    return max(bisect_right(residences, at_ms, key=lambda one: one.from_ms) - 1, 0)


def is_packing(residences: tuple[Residence, ...], at_ms: int) -> bool:
    """Whether a move is near: then no session begins, so none lasts through a move."""
    return residence_at(residences, at_ms) != residence_at(residences, at_ms + PACKING_MS)


def where_now(profile: Profile, residences: tuple[Residence, ...]) -> Profile:
    """The profile as it is stored once all moves are made."""
    last = residences[-1]
    return dataclasses.replace(profile, country=last.country, time_zone=last.time_zone)
