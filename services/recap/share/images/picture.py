"""Pictures: a card laid out for a story (1080 × 1920) or a link (1200 × 630)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from services.recap.share.images import designs
from services.recap.share.images.drawing import Drawing, PlacedText
from services.recap.share.images.fitting import Setter
from services.recap.share.images.palette import palette_of
from services.recap.share.images.typefaces import Typefaces
from services.recap.share.images.writing import cleaned, is_right_to_left
from services.recap.share.shared_card import SharedCard


class Format(IntEnum):
    """What a picture is for, which says how large it is."""

    STORY = 1
    LINK = 2


SIZES: Final = {Format.STORY: (1080, 1920), Format.LINK: (1200, 630)}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as SVG, without any font, and where its texts are."""

    svg: str
    texts: tuple[PlacedText, ...]


class Painter:
    """Paints cards, with typefaces that are opened once."""

    def __init__(self) -> None:
        self._typefaces = Typefaces()
        self._setters = {
            right_to_left: Setter(self._typefaces, right_to_left=right_to_left)
            for right_to_left in (False, True)
        }

    def paint(self, card: SharedCard, display_name: str, format: Format) -> Picture:
        """The picture of a card; the same input gives the same bytes."""
        width, height = SIZES[format]
        setter = self._setters[is_right_to_left(card.language)]
        drawing = Drawing(setter, width=width, height=height)
        design = designs.STORY if format is Format.STORY else designs.LINK
        design[card.kind](drawing, card, palette_of(card), display_name)
        return Picture(drawing.svg(_title(card, display_name)), tuple(drawing.texts))


def _title(card: SharedCard, display_name: str) -> str:
    parts = (display_name, card.headline, card.figure, card.text, ", ".join(card.names))
    return cleaned(" \u2013 ".join(part for part in parts if part))
