"""A drawing: shapes and fitted texts on a sheet, and the SVG of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape, quoteattr

from services.recap.share.images.fitting import FittedText, Setter, Style


class Align(Enum):
    """Where in its box a text stands; START is the right in a language written from there."""

    START = 0.0
    MIDDLE = 0.5
    END = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class PlacedText:
    """What was written where: the box it was given and the box that its ink takes."""

    text: str
    box: Box
    ink: Box
    is_cut: bool
    missing_count: int


class Drawing:
    """A sheet that is drawn on from back to front.

    Shapes are given as for a language written from the left, and mirrored for the others.
    """

    def __init__(self, setter: Setter, *, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.texts: list[PlacedText] = []
        self._setter = setter
        self._parts: list[str] = []

    def rectangle(self, box: Box, colour: str, *, radius: float = 0) -> None:
        """A filled rectangle."""
        x = self._mirrored(box.x, box.width)
        rounded = f' rx="{_number(radius)}"' if radius else ""
        self._parts.append(
            f'<rect x="{_number(x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
            f'height="{_number(box.height)}"{rounded} fill="{colour}"/>'
        )

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle."""
        self._parts.append(
            f'<circle cx="{_number(self._mirrored(x))}" cy="{_number(y)}" '
            f'r="{_number(radius)}" fill="{colour}"/>'
        )

    def polygon(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        """A filled polygon."""
        path = "L".join(f"{_number(self._mirrored(x))} {_number(y)}" for x, y in points)
        self._parts.append(f'<path d="M{path}Z" fill="{colour}"/>')

    def write(
        self,
        text: str,
        box: Box,
        style: Style,
        colour: str,
        *,
        align: Align = Align.START,
        upright: Align = Align.START,
    ) -> float:
        """Write a text into a box; returns the lower edge of its ink, the box's top for none."""
        fitted = self._setter.fit(text, style, width=box.width, height=box.height)
        if not fitted.lines:
            return box.y
        x_of_box = self._mirrored(box.x, box.width)
        top = box.y + (box.height - fitted.height) * upright.value
        baseline = top - fitted.lines[0].ink.top * fitted.size
        place = 1 - align.value if self._setter.right_to_left else align.value
        paths, inks = [], []
        for line in fitted.lines:
            room = box.width - line.width(fitted.size)
            x = x_of_box + room * place - min(0.0, line.ink.left) * fitted.size
            paths.append(line.path(x, baseline, fitted.size))
            inks.append(
                Box(
                    x + line.ink.left * fitted.size,
                    baseline + line.ink.top * fitted.size,
                    (line.ink.right - line.ink.left) * fitted.size,
                    (line.ink.bottom - line.ink.top) * fitted.size,
                )
            )
            baseline += fitted.leading * fitted.size
        self._parts.append(f'<path d="{"".join(paths)}" fill="{colour}"/>')
        ink = _around(inks)
        drawn = Box(x_of_box, box.y, box.width, box.height)
        self.texts.append(PlacedText(_said(fitted), drawn, ink, fitted.is_cut, _missing(fitted)))
        return ink.bottom

    def svg(self, title: str) -> str:
        """The whole sheet; its title is for those who cannot see it."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
            f'height="{self.height}" viewBox="0 0 {self.width} {self.height}" role="img" '
            f"aria-label={quoteattr(title)}><title>{escape(title)}</title>"
            + "".join(self._parts)
            + "</svg>"
        )

    def _mirrored(self, x: float, width: float = 0) -> float:
        return self.width - x - width if self._setter.right_to_left else x


def _said(fitted: FittedText) -> str:
    return "\n".join(line.text for line in fitted.lines)


def _missing(fitted: FittedText) -> int:
    return sum(line.missing_count for line in fitted.lines)


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
