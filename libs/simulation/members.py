"""Who watches on a profile: mostly one person, on a shared one two to four. Only tests know."""

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.profile import Profile
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.latent import LatentSpace
from libs.simulation.tastes import DAYPARTS, Taste, draw_taste, normalised

_SIZE_SHARES: Final = (0.55, 0.30, 0.15)  # of shared profiles: two, three, four people
_KIDS_SHARE: Final = 0.4  # of all but the first
_ACTIVITY: Final = 0.8  # of each of several people, against one alone
_HOURS_SPREAD: Final = 0.8  # how much the hours of people who share a screen keep apart
# Minutes of the day between which sessions begin, by quarter of the day.
_ALL_DAY: Final = ((0, 360), (360, 720), (720, 1080), (1080, 1440))
_AFTER_SCHOOL: Final = ((0, 360), (420, 720), (900, 1080), (1080, 1200))


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One person on a profile."""

    is_child: bool
    taste: Taste
    minutes: NDArray[np.int64]  # (4, 2) when sessions begin, by quarter of the day; end exclusive


def draw_members(
    config: SimulationConfig, space: LatentSpace, profile: Profile, index: int
) -> tuple[Member, ...]:
    """The people on the profile at `index`, an adult first where several share it.

    The first is who would watch alone; profiles of children and teenagers are never shared.
    """
    first = Member(
        is_child=profile.kids,
        taste=draw_taste(config, space, profile, config.rng(Stream.TASTE, index)),
        minutes=np.array(_ALL_DAY),
    )
    is_adults = not profile.kids and profile.maturity_limit_years is None
    rng = config.rng(Stream.MEMBERS, index)
    if not is_adults or rng.random() >= config.shared_share:
        return (first,)
    more = 1 + int(rng.choice(len(_SIZE_SHARES), p=_SIZE_SHARES))
    others = [
        _draw_member(config, space, profile, config.rng(Stream.MEMBERS, index, place))
        for place in range(1, more + 1)
    ]
    return (dataclasses.replace(first, taste=_less_active(first.taste)), *others)


def as_person(profile: Profile, member: Member) -> Profile:
    """The profile as it would be if the member had it alone."""
    return dataclasses.replace(profile, kids=member.is_child)


def _draw_member(
    config: SimulationConfig, space: LatentSpace, profile: Profile, rng: np.random.Generator
) -> Member:
    is_child = bool(rng.random() < _KIDS_SHARE)
    person = dataclasses.replace(profile, kids=is_child)
    taste = _less_active(draw_taste(config, space, person, rng))
    if is_child:
        return Member(True, taste, np.array(_AFTER_SCHOOL))
    hours = taste.daypart_shares * rng.lognormal(0.0, _HOURS_SPREAD, DAYPARTS)
    shares = normalised(hours.reshape(2, DAYPARTS // 2)).ravel()
    return Member(False, dataclasses.replace(taste, daypart_shares=shares), np.array(_ALL_DAY))


def _less_active(taste: Taste) -> Taste:
    return dataclasses.replace(taste, sessions_per_day=_ACTIVITY * taste.sessions_per_day)
