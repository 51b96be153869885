"""Designs: how each kind of card is laid out, for a story and for a link.

All are flat and opaque: large shapes of one palette, one thing written very large, and room.
In a story the upper eighth stays free, where apps show their own controls.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from services.recap.share.images.drawing import Align, Box, Drawing
from services.recap.share.images.fitting import Style
from services.recap.share.images.palette import Palette
from services.recap.share.images.shapes import mark, rays, rings, setting_sun, spotlight
from services.recap.share.images.typefaces import Weight
from services.recap.share.shared_card import CardKind, SharedCard

Design: TypeAlias = Callable[[Drawing, SharedCard, Palette, str], None]

_NAME: Final = Style(Weight.BOLD, (42, 36))
_HEADLINE: Final = Style(Weight.BOLD, (72, 64, 56, 48), 2)
_FIGURE: Final = Style(Weight.BLACK, tuple(range(400, 70, -10)))
_NAMED_FIGURE: Final = Style(Weight.BLACK, tuple(range(170, 60, -6)), 3)
_TEXT: Final = Style(Weight.MEDIUM, (58, 52, 46, 40), 4)
_FIRST: Final = Style(Weight.BLACK, (104, 88, 76, 66, 58), 3)
_OTHER: Final = Style(Weight.BOLD, (66, 58, 50, 42), 2)

_LINK_NAME: Final = Style(Weight.BOLD, (30, 26))
_LINK_HEADLINE: Final = Style(Weight.BOLD, (44, 40, 36, 32), 2)
_LINK_FIGURE: Final = Style(Weight.BLACK, tuple(range(210, 40, -6)))
_LINK_NAMED_FIGURE: Final = Style(Weight.BLACK, tuple(range(92, 40, -4)), 2)
_LINK_TEXT: Final = Style(Weight.MEDIUM, (36, 32, 28), 3)
_LINK_ROW: Final = Style(Weight.BOLD, (50, 44, 38, 32))

_EDGE: Final = 90.0
_LINK_EDGE: Final = 64.0
_MOST_BARS: Final = 5
_MOST_LINK_BARS: Final = 3


def _ground(drawing: Drawing, palette: Palette) -> None:
    drawing.rectangle(Box(0, 0, drawing.width, drawing.height), palette.ground)


def _story_top(drawing: Drawing, palette: Palette, display_name: str) -> None:
    mark(drawing, _EDGE, 236, 48, palette.accent)
    box = Box(_EDGE + 62, 230, 838, 60)
    drawing.write(display_name, box, _NAME, palette.ink, upright=Align.MIDDLE)


def _link_top(drawing: Drawing, palette: Palette, display_name: str, width: float) -> None:
    mark(drawing, _LINK_EDGE, 58, 34, palette.accent)
    box = Box(_LINK_EDGE + 46, 52, width - 46, 46)
    drawing.write(display_name, box, _LINK_NAME, palette.ink, upright=Align.MIDDLE)


def _names(card: SharedCard) -> str:
    separator = "\u060c " if card.language.startswith("ar") else ", "
    return separator.join(card.names)


def _figure_and_text(drawing: Drawing, card: SharedCard, palette: Palette, bottom: float) -> None:
    """The headline, the figure as wide as it can be, and what it is about, from above."""
    box = Box(_EDGE, 380, 900, 190)
    below = drawing.write(card.headline, box, _HEADLINE, palette.accent)
    box = Box(_EDGE, below + 70, 900, 340)
    below = drawing.write(card.figure, box, _FIGURE, palette.ink)
    room = bottom - below - 70
    box = Box(_EDGE, below + 70, 900, min(room, 330))
    below = drawing.write(card.text, box, _TEXT, palette.ink)
    if card.names and bottom - below > 150:
        box = Box(_EDGE, below + 60, 900, min(bottom - below - 60, 170))
        drawing.write(_names(card), box, _OTHER, palette.second)


def _link_figure_and_text(
    drawing: Drawing, card: SharedCard, palette: Palette, width: float
) -> None:
    box = Box(_LINK_EDGE, 136, width, 100)
    below = drawing.write(card.headline, box, _LINK_HEADLINE, palette.accent)
    box = Box(_LINK_EDGE, below + 38, width, 170)
    below = drawing.write(card.figure, box, _LINK_FIGURE, palette.ink)
    if card.names:
        box = Box(_LINK_EDGE, below + 38, width, 50)
        below = drawing.write(_names(card), box, Style(Weight.BOLD, (36, 32, 28)), palette.second)
    box = Box(_LINK_EDGE, below + 30, width, 590 - below - 30)
    drawing.write(card.text, box, _LINK_TEXT, palette.ink)


def story_figure(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """A number, over rings that rise from the lower corner."""
    _ground(drawing, palette)
    colours = (palette.third, palette.ground, palette.second, palette.ground, palette.accent)
    rings(drawing, 1080, 1920, (640, 520, 400, 280, 180), colours)
    _story_top(drawing, palette, name)
    _figure_and_text(drawing, card, palette, 1320)


def link_figure(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """A number beside rings."""
    _ground(drawing, palette)
    colours = (palette.third, palette.ground, palette.second, palette.ground, palette.accent)
    rings(drawing, 1200, 630, (420, 340, 260, 180, 110), colours)
    _link_top(drawing, palette, name, 600)
    _link_figure_and_text(drawing, card, palette, 700)


def story_list(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """Bars that grow shorter, one a title."""
    _ground(drawing, palette)
    _story_top(drawing, palette, name)
    box = Box(_EDGE, 380, 900, 200)
    below = drawing.write(
        card.headline, box, Style(Weight.BLACK, (104, 92, 80, 64), 2), palette.ink
    )
    if card.text:
        box = Box(_EDGE, below + 40, 900, 120)
        below = drawing.write(card.text, box, Style(Weight.MEDIUM, (46, 40), 2), palette.ink)
    names = card.names[:_MOST_BARS]
    top, gap, first = below + 70, 22.0, 1.35
    count = max(len(names), 1)
    # The fewer there are, the taller they stand.
    tallest = 190 + 36.0 * (_MOST_BARS - count)
    height = min(tallest, (1750 - top - gap * (count - 1)) / (first + count - 1))
    for place, title in enumerate(names):
        is_first = place == 0
        tall = height * first if is_first else height
        width = 1000.0 - 76 * place
        bar = palette.accent if is_first else palette.third
        drawing.rectangle(Box(-60, top, width + 60, tall), bar, radius=36)
        number = palette.on_accent if is_first else palette.second
        written = palette.on_accent if is_first else palette.ink
        rank = Box(_EDGE, top + 20, 110, tall - 40)
        size = Style(Weight.BLACK, (110 if is_first else 76,))
        drawing.write(str(place + 1), rank, size, number, upright=Align.MIDDLE)
        box = Box(_EDGE + 130, top + 16, width - _EDGE - 180, tall - 32)
        style = _FIRST if is_first else _OTHER
        drawing.write(title, box, style, written, upright=Align.MIDDLE)
        top += tall + gap


def link_list(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """The first three, in bars."""
    _ground(drawing, palette)
    _link_top(drawing, palette, name, 900)
    box = Box(_LINK_EDGE, 128, 1072, 84)
    drawing.write(
        card.headline, box, Style(Weight.BLACK, (62, 54, 46, 38)), palette.ink, upright=Align.MIDDLE
    )
    top = 236.0
    for place, title in enumerate(card.names[:_MOST_LINK_BARS]):
        is_first = place == 0
        tall = 120.0 if is_first else 96.0
        width = 1140.0 - 130 * place
        bar = palette.accent if is_first else palette.third
        drawing.rectangle(Box(-40, top, width + 40, tall), bar, radius=24)
        number = palette.on_accent if is_first else palette.second
        written = palette.on_accent if is_first else palette.ink
        rank = Box(_LINK_EDGE, top + 10, 70, tall - 20)
        size = Style(Weight.BLACK, (62 if is_first else 48,))
        drawing.write(str(place + 1), rank, size, number, upright=Align.MIDDLE)
        box = Box(_LINK_EDGE + 84, top + 10, width - _LINK_EDGE - 124, tall - 20)
        drawing.write(title, box, _LINK_ROW, written, upright=Align.MIDDLE)
        top += tall + 16


def _emblem(drawing: Drawing, palette: Palette, x: float, y: float, size: float) -> None:
    """A sun that becomes a moon."""
    rays(drawing, x, y, count=18, reach=size * 1.62, colour=palette.third)
    drawing.disc(x, y, size * 1.16, palette.ground)
    drawing.disc(x, y, size, palette.accent)
    drawing.disc(x + size * 0.3, y - size * 0.16, size * 0.7, palette.ground)
    drawing.disc(x + size * 0.42, y - size * 0.22, size * 0.3, palette.second)


def story_archetype(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """Who one is, below an emblem."""
    _ground(drawing, palette)
    _emblem(drawing, palette, 540, 830, 260)
    _story_top(drawing, palette, name)
    box = Box(_EDGE, 1270, 900, 80)
    headline = Style(Weight.BOLD, (54, 48, 42))
    below = drawing.write(card.headline, box, headline, palette.accent, align=Align.MIDDLE)
    box = Box(_EDGE, below + 44, 900, 300)
    below = drawing.write(card.figure, box, _NAMED_FIGURE, palette.ink, align=Align.MIDDLE)
    box = Box(_EDGE + 40, below + 54, 820, 1810 - below - 54)
    text = Style(Weight.MEDIUM, (48, 42, 36), 3)
    drawing.write(card.text, box, text, palette.ink, align=Align.MIDDLE)


def link_archetype(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """Who one is, beside an emblem."""
    _ground(drawing, palette)
    _emblem(drawing, palette, 955, 315, 168)
    _link_top(drawing, palette, name, 500)
    box = Box(_LINK_EDGE, 160, 580, 50)
    below = drawing.write(card.headline, box, Style(Weight.BOLD, (38, 34, 30)), palette.accent)
    box = Box(_LINK_EDGE, below + 34, 580, 210)
    below = drawing.write(card.figure, box, _LINK_NAMED_FIGURE, palette.ink)
    box = Box(_LINK_EDGE, below + 48, 580, 590 - below - 48)
    drawing.write(card.text, box, _LINK_TEXT, palette.ink)


def story_day(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """One day, over a sun that sets."""
    _ground(drawing, palette)
    for x, y, radius in ((920, 1150, 9), (130, 1290, 7), (1010, 1380, 6), (70, 1480, 9)):
        drawing.disc(x, y, radius, palette.second)
    setting_sun(drawing, 540, 1610, 400, palette.accent, palette.ground)
    drawing.rectangle(Box(0, 1840, 1080, 80), palette.third)
    _story_top(drawing, palette, name)
    _figure_and_text(drawing, card, palette, 1170)


def link_day(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """One day, beside a sun that sets."""
    _ground(drawing, palette)
    for x, y, radius in ((780, 120, 6), (1130, 90, 5), (1080, 170, 4)):
        drawing.disc(x, y, radius, palette.second)
    setting_sun(drawing, 970, 430, 240, palette.accent, palette.ground)
    drawing.rectangle(Box(0, 606, 1200, 24), palette.third)
    _link_top(drawing, palette, name, 600)
    _link_figure_and_text(drawing, card, palette, 610)


def story_outcome(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """What a quiz says of one, in a spotlight, below its question."""
    _ground(drawing, palette)
    spotlight(drawing, 540, 1010, 390, palette.accent, palette.third)
    _story_top(drawing, palette, name)
    headline = Style(Weight.BOLD, (64, 56, 50, 44), 2)
    box = Box(_EDGE, 360, 900, 200)
    drawing.write(card.headline, box, headline, palette.ink, align=Align.MIDDLE)
    box = Box(240, 790, 600, 440)
    figure = Style(Weight.BLACK, tuple(range(132, 46, -6)), 4)
    drawing.write(
        card.figure, box, figure, palette.on_accent, align=Align.MIDDLE, upright=Align.MIDDLE
    )
    box = Box(_EDGE + 20, 1480, 860, 340)
    text = Style(Weight.MEDIUM, (54, 48, 42, 36), 6)
    drawing.write(card.text, box, text, palette.ink, align=Align.MIDDLE)


def link_outcome(drawing: Drawing, card: SharedCard, palette: Palette, name: str) -> None:
    """What a quiz says of one, in a spotlight, beside its question."""
    _ground(drawing, palette)
    spotlight(drawing, 900, 345, 250, palette.accent, palette.third)
    _link_top(drawing, palette, name, 470)
    box = Box(_LINK_EDGE, 146, 500, 110)
    below = drawing.write(card.headline, box, _LINK_HEADLINE, palette.accent)
    box = Box(_LINK_EDGE, below + 40, 540, 590 - below - 40)
    text = Style(Weight.MEDIUM, (38, 34, 30, 26), 7)
    drawing.write(card.text, box, text, palette.ink)
    box = Box(710, 205, 380, 280)
    figure = Style(Weight.BLACK, tuple(range(80, 32, -4)), 4)
    drawing.write(
        card.figure, box, figure, palette.on_accent, align=Align.MIDDLE, upright=Align.MIDDLE
    )


STORY: Final[Mapping[CardKind, Design]] = MappingProxyType(
    {
        CardKind.FIGURE: story_figure,
        CardKind.LIST: story_list,
        CardKind.ARCHETYPE: story_archetype,
        CardKind.DAY: story_day,
        CardKind.OUTCOME: story_outcome,
    }
)
LINK: Final[Mapping[CardKind, Design]] = MappingProxyType(
    {
        CardKind.FIGURE: link_figure,
        CardKind.LIST: link_list,
        CardKind.ARCHETYPE: link_archetype,
        CardKind.DAY: link_day,
        CardKind.OUTCOME: link_outcome,
    }
)
