"""A viewing context as values that JSON knows, as quiz states and the outbox keep it."""

from collections.abc import Sequence
from typing import Any

from libs.domain.viewing import Device, Surface, ViewingContext


def context_values(context: ViewingContext) -> list[Any]:
    """All of its fields, in their order."""
    return [
        context.time_zone,
        context.device,
        context.country,
        context.language,
        context.surface,
        context.kids,
        context.geo_cell,
    ]


def context_of(values: Sequence[Any]) -> ViewingContext:
    """The inverse of `context_values`."""
    time_zone, device, country, language, surface, kids, geo_cell = values
    return ViewingContext(
        time_zone, Device(device), country, language, Surface(surface), kids, geo_cell
    )
