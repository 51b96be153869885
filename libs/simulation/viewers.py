"""Households and the profiles that live in them."""

from typing import Final

import numpy as np

from libs.domain.profile import Profile
from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.geography import COUNTRIES

_SIZE_SHARES: Final = (0.42, 0.30, 0.17, 0.11)
_KIDS_SHARE: Final = 0.28  # of the second and later profiles of a household
_TEEN_SHARE: Final = 0.10  # of the second and later profiles of a household


def build_profiles(config: SimulationConfig) -> tuple[Profile, ...]:
    """The profiles of all households, in household order; a household shares one account."""
    rng = config.rng(Stream.HOUSEHOLDS)
    shares = np.array([country.viewer_share for country in COUNTRIES])
    shares = shares / shares.sum()
    profiles: list[Profile] = []
    account = 0
    while len(profiles) < config.profile_count:
        country = COUNTRIES[int(rng.choice(len(COUNTRIES), p=shares))]
        time_zone = country.time_zones[int(rng.integers(len(country.time_zones)))]
        size = 1 + int(rng.choice(len(_SIZE_SHARES), p=_SIZE_SHARES))
        for member in range(min(size, config.profile_count - len(profiles))):
            place = rng.random()
            kids = member > 0 and place < _KIDS_SHARE
            is_teen = member > 0 and _KIDS_SHARE <= place < _KIDS_SHARE + _TEEN_SHARE
            known = 1 if rng.random() < 0.45 else len(country.languages)
            profiles.append(
                Profile(
                    profile_id=f"p{len(profiles):06d}",
                    account_id=f"a{account:06d}",
                    kids=kids,
                    maturity_limit_years=12 if is_teen else None,
                    country=country.code,
                    languages=country.languages[:known],
                    time_zone=time_zone,
                )
            )
        account += 1
    return tuple(profiles)
