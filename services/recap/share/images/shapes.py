"""Shapes: the ornaments that the designs share."""

import math
from collections.abc import Sequence

from services.recap.share.images.drawing import Box, Drawing


def rings(
    drawing: Drawing, x: float, y: float, radii: Sequence[float], colours: Sequence[str]
) -> None:
    """Discs within each other, the largest first; colours take turns."""
    for place, radius in enumerate(radii):
        drawing.disc(x, y, radius, colours[place % len(colours)])


def rays(drawing: Drawing, x: float, y: float, *, count: int, reach: float, colour: str) -> None:
    """Wedges around a point, as wide as the gaps between them."""
    step = math.pi / count
    for place in range(count):
        start = (2 * place - 0.5) * step
        points = [(x, y)]
        points += [
            (x + reach * math.cos(angle), y + reach * math.sin(angle))
            for angle in (start, start + step)
        ]
        drawing.polygon(points, colour)


def setting_sun(
    drawing: Drawing, x: float, y: float, radius: float, colour: str, ground: str
) -> None:
    """A disc that lines of the ground cut, thicker downwards."""
    drawing.disc(x, y, radius, colour)
    top, count = y + radius * 0.02, 6
    for place in range(count):
        thick = radius * (0.03 + 0.025 * place)
        drawing.rectangle(Box(x - radius, top, 2 * radius, thick), ground)
        top += radius * 0.172


def spotlight(drawing: Drawing, x: float, y: float, radius: float, colour: str, beam: str) -> None:
    """A disc in a beam that falls on it from above the sheet."""
    lamp = -1.6 * radius
    # The edges of the beam touch the disc.
    angle = math.asin(radius / (y - lamp))
    across, down = radius * math.cos(angle), radius * math.sin(angle)
    drawing.polygon([(x, lamp), (x + across, y - down), (x - across, y - down)], beam)
    drawing.disc(x, y, radius, colour)


def mark(drawing: Drawing, x: float, y: float, height: float, colour: str) -> None:
    """The repeat sign of music, whose French name this project has; x, y is its upper left."""
    drawing.rectangle(Box(x, y, height * 0.18, height), colour)
    drawing.rectangle(Box(x + height * 0.3, y, height * 0.07, height), colour)
    for part in (0.32, 0.68):
        drawing.disc(x + height * 0.58, y + height * part, height * 0.1, colour)
