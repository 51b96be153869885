"""What is known of the moment itself: the same for all candidates."""

from collections.abc import Callable
from math import cos, pi, sin
from typing import Final, NamedTuple

from libs.domain.viewing import Device
from libs.features.feature import Feature
from libs.features.request import Request


class ContextFeature(NamedTuple):
    """A column and its one value."""

    feature: Feature
    of: Callable[[Request], float]


def _hour_angle(request: Request) -> float:
    return 2 * pi * (request.local.hour + request.local.minute / 60) / 24


def _on(device: Device) -> ContextFeature:
    name = device.name.lower()
    return ContextFeature(
        Feature(f"context_device_{name}", f"on a device of kind {name}"),
        lambda request: float(request.viewer.context.device is device),
    )


CONTEXT_FEATURES: Final[tuple[ContextFeature, ...]] = (
    ContextFeature(
        Feature("context_hour_sin", "the hour"), lambda request: sin(_hour_angle(request))
    ),
    ContextFeature(
        Feature("context_hour_cos", "the hour"), lambda request: cos(_hour_angle(request))
    ),
    ContextFeature(
        Feature("context_is_weekend", "the weekend"),
        lambda request: float(request.local.weekday() >= 5),
    ),
    *map(_on, Device),
)
