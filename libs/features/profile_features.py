"""What sort of viewer asks: the same for all candidates."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log1p, sqrt
from typing import Final, NamedTuple

import numpy as np

from libs.domain.event import DAY_MS
from libs.domain.viewing import Device
from libs.features.daypart import DAYPART_COUNT, daypart
from libs.features.feature import Feature, FeatureKind
from libs.features.profile_state import PROFILE_HALF_LIFE_MS, counters_at
from libs.features.request import NEVER_DAYS, Request
from libs.features.title_record import TASTE_HALF_LIFE_MS


@dataclass(frozen=True, slots=True, eq=False)
class _Asking:
    """A request with the profile's counters as they are then."""

    request: Request
    counters: dict[str, float]


class ProfileFeature(NamedTuple):
    """A column and its one value."""

    feature: Feature
    of: Callable[[_Asking], float]


def _counter(name: str, meaning: str) -> Feature:
    return Feature(name, meaning, FeatureKind.COUNTER, PROFILE_HALF_LIFE_MS)


def _start_rate(asking: _Asking) -> float:
    return (asking.counters["starts"] + 0.05) / (asking.counters["impressions"] + 1.0)


def _days_idle(asking: _Asking) -> float:
    viewer = asking.request.viewer
    newest_ms = int(viewer.view.last_ms.max(initial=0))
    return min((viewer.at_ms - newest_ms) / DAY_MS, NEVER_DAYS) if newest_ms else NEVER_DAYS


def _device_share(asking: _Asking) -> float:
    device = asking.request.viewer.context.device.name.lower()
    return _share(asking, f"engagement_device_{device}", 1.0 / len(Device))


def _daypart_share(asking: _Asking) -> float:
    part = daypart(asking.request.local)
    return _share(asking, f"engagement_daypart_{part}", 1.0 / DAYPART_COUNT)


def _share(asking: _Asking, name: str, usual: float) -> float:
    return (asking.counters[name] + usual) / (asking.counters["engagement"] + 1.0)


def _genre_focus(asking: _Asking) -> float:
    genres = asking.request.taste.genres
    return sqrt(float(np.einsum("g,g->", genres, genres)))


PROFILE_FEATURES: Final[tuple[ProfileFeature, ...]] = (
    ProfileFeature(
        _counter("profile_engagement", "how much you watch"),
        lambda asking: log1p(asking.counters["engagement"]),
    ),
    ProfileFeature(
        _counter("profile_starts", "how often you start something"),
        lambda asking: log1p(asking.counters["starts"]),
    ),
    ProfileFeature(
        _counter("profile_impressions", "how much you were shown"),
        lambda asking: log1p(asking.counters["impressions"]),
    ),
    ProfileFeature(_counter("profile_start_rate", "how easily you choose"), _start_rate),
    ProfileFeature(
        Feature("profile_title_count", "how many titles you know", FeatureKind.REGISTER),
        lambda asking: log1p(len(asking.request.taste.rows)),
    ),
    ProfileFeature(
        Feature("profile_days_idle", "how long you were away", FeatureKind.REGISTER), _days_idle
    ),
    ProfileFeature(_counter("profile_device_share", "your usual device"), _device_share),
    ProfileFeature(_counter("profile_daypart_share", "your usual time"), _daypart_share),
    ProfileFeature(
        Feature(
            "profile_genre_focus",
            "how few genres you watch",
            FeatureKind.COUNTER,
            TASTE_HALF_LIFE_MS,
        ),
        _genre_focus,
    ),
)


def profile_values(request: Request) -> list[float]:
    """The values of PROFILE_FEATURES."""
    asking = _Asking(request, counters_at(request.viewer.counters, request.viewer.at_ms))
    return [one.of(asking) for one in PROFILE_FEATURES]
