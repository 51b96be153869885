"""Typefaces: the fonts of share images, what each has, and the outlines of their glyphs.

The fonts are subsets under the SIL Open Font License, in the folder beside this one: Latin, Greek
and Cyrillic; Arabic; Thai; emoji in one colour. No font of the system is ever looked at, so an
image is the same everywhere.
"""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import uharfbuzz as hb

FONTS_PATH: Final = Path(__file__).parents[1] / "fonts"

# The first that has all of a cluster draws it.
FILES: Final = ("InterTight.ttf", "NotoKufiArabic.ttf", "NotoSansThai.ttf", "NotoEmoji.ttf")
EMOJI: Final = 3


@dataclass(frozen=True, slots=True)
class Outline:
    """A path: letters of SVG with coordinates in ems, y upwards, and the box around all points."""

    commands: tuple[tuple[str, tuple[float, ...]], ...]
    left: float
    bottom: float
    right: float
    top: float

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn, as of a space."""
        return not self.commands


class Weight(IntEnum):
    """How bold, as the axis `wght` of the fonts says it."""

    MEDIUM = 500
    BOLD = 700
    BLACK = 850


class Typeface:
    """One font in every weight. Holds the outlines it has drawn."""

    def __init__(self, path: Path) -> None:
        self.face = hb.Face(hb.Blob.from_file_path(str(path)))
        self.codepoints = frozenset(self.face.unicodes)
        self.upem = int(self.face.upem)
        self._fonts = {weight: _font(self.face, weight) for weight in Weight}
        self._outlines: dict[tuple[Weight, int], Outline] = {}

    def font(self, weight: Weight) -> hb.Font:
        """The font of a weight, for shaping."""
        return self._fonts[weight]

    def outline(self, weight: Weight, glyph: int) -> Outline:
        """The path of a glyph."""
        known = self._outlines.get((weight, glyph))
        if known is None:
            known = self._outlines[weight, glyph] = self._drawn(weight, glyph)
        return known

    def _drawn(self, weight: Weight, glyph: int) -> Outline:
        commands: list[tuple[str, tuple[float, ...]]] = []
        upem = self.upem

        def note(letter: str, *points: float) -> None:
            commands.append((letter, tuple(value / upem for value in points)))

        pen = hb.DrawFuncs()
        pen.set_move_to_func(lambda x, y, _: note("M", x, y))
        pen.set_line_to_func(lambda x, y, _: note("L", x, y))
        pen.set_quadratic_to_func(lambda a, b, x, y, _: note("Q", a, b, x, y))
        pen.set_cubic_to_func(lambda a, b, c, d, x, y, _: note("C", a, b, c, d, x, y))
        pen.set_close_path_func(lambda _: note("Z"))
        self._fonts[weight].draw_glyph(glyph, pen, None)
        xs = [value for _, points in commands for value in points[::2]] or [0.0]
        ys = [value for _, points in commands for value in points[1::2]] or [0.0]
        # Curves lie within their control points.
        return Outline(tuple(commands), min(xs), min(ys), max(xs), max(ys))


class Typefaces:
    """All of them, opened once."""

    def __init__(self, folder: Path = FONTS_PATH) -> None:
        self.all = tuple(Typeface(folder / name) for name in FILES)
        # Of clusters that were asked for; what people write with is few of them.
        self.chosen: dict[str, int | None] = {}

    def has(self, codepoint: int) -> bool:
        """Whether some font draws it."""
        return any(codepoint in typeface.codepoints for typeface in self.all)


def _font(face: hb.Face, weight: Weight) -> hb.Font:
    font = hb.Font(face)
    font.set_variations({"wght": float(weight)})
    return font
