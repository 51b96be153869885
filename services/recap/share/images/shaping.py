"""Shaping: text to glyphs in their places, in visual order; all measured in ems."""

from dataclasses import dataclass
from itertools import groupby

import uharfbuzz as hb

from services.recap.share.images.typefaces import Outline, Typefaces, Weight
from services.recap.share.images.writing import clusters, levels, prepared, typeface_of


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph and where its origin is."""

    outline: Outline
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Ink:
    """The box around what is drawn; y grows downwards from the baseline."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ShapedText:
    """One line of text, ready to be drawn at any size."""

    text: str
    advance: float
    glyphs: tuple[Glyph, ...]
    ink: Ink
    missing_count: int  # of glyphs that no font had; always 0 after `prepared`

    def width(self, size: float) -> float:
        """Pixels it needs at a size: its advance, or its ink where that is wider."""
        return size * (max(self.advance, self.ink.right) - min(0.0, self.ink.left))

    def path(self, x: float, y: float, size: float) -> str:
        """The path of SVG whose line begins at x on the baseline y, to a tenth of a pixel."""
        parts: list[str] = []
        for glyph in self.glyphs:
            for letter, points in glyph.outline.commands:
                parts.append(letter)
                parts.append(
                    " ".join(
                        _tenths(
                            x + (glyph.x + value) * size
                            if place % 2 == 0
                            else y - (glyph.y + value) * size
                        )
                        for place, value in enumerate(points)
                    )
                )
        return "".join(parts)


def shape(text: str, typefaces: Typefaces, weight: Weight, *, right_to_left: bool) -> ShapedText:
    """Shape one line: Arabic joins, Thai stacks, and each run goes its own direction."""
    text = prepared(text, typefaces)
    glyphs: list[Glyph] = []
    advance, missing = 0.0, 0
    for run, level, typeface in _in_visual_order(_runs(text, typefaces, right_to_left)):
        chosen = typefaces.all[typeface]
        buffer = hb.Buffer()
        buffer.add_str(run)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if level % 2 else "ltr"
        hb.shape(chosen.font(weight), buffer)
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            missing += info.codepoint == 0
            glyphs.append(
                Glyph(
                    chosen.outline(weight, info.codepoint),
                    advance + position.x_offset / chosen.upem,
                    position.y_offset / chosen.upem,
                )
            )
            advance += position.x_advance / chosen.upem
    return ShapedText(text, advance, tuple(glyphs), _ink(glyphs), missing)


def _runs(text: str, typefaces: Typefaces, right_to_left: bool) -> list[tuple[str, int, int]]:
    """Stretches of one level and one typeface, in logical order."""
    level_of = levels(text, right_to_left=right_to_left)
    marked: list[tuple[str, int, int]] = []
    place = 0
    for cluster in clusters(text):
        typeface = typeface_of(cluster, typefaces)
        if (
            marked
            and cluster.isspace()
            and ord(cluster[0]) in (typefaces.all[marked[-1][2]].codepoints)
        ):
            typeface = marked[-1][2]  # a space belongs to the word before
        marked.append((cluster, level_of[place], typeface or 0))
        place += len(cluster)
    return [
        ("".join(cluster for cluster, _, _ in group), level, typeface)
        for (level, typeface), group in groupby(marked, key=lambda mark: mark[1:])
    ]


def _in_visual_order(runs: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Rule L2 of UAX 9: from the highest level down, what is at least as high is reversed."""
    ordered = list(runs)
    for level in range(max((run[1] for run in runs), default=0), 0, -1):
        start = 0
        while start < len(ordered):
            end = start
            while end < len(ordered) and ordered[end][1] >= level:
                end += 1
            ordered[start:end] = ordered[start:end][::-1]
            start = end + 1
    return ordered


def _ink(glyphs: list[Glyph]) -> Ink:
    drawn = [glyph for glyph in glyphs if not glyph.outline.is_empty]
    if not drawn:
        return Ink(0.0, 0.0, 0.0, 0.0)
    return Ink(
        min(glyph.x + glyph.outline.left for glyph in drawn),
        -max(glyph.y + glyph.outline.top for glyph in drawn),
        max(glyph.x + glyph.outline.right for glyph in drawn),
        -min(glyph.y + glyph.outline.bottom for glyph in drawn),
    )


def _tenths(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
