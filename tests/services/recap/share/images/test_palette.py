"""Colours that can be read, and that follow from the card."""

import pytest

from services.recap.share.images.palette import PALETTES, Palette, contrast, palette_of
from tests.services.recap.share.images.made_cards import CARDS


@pytest.mark.parametrize("palette", PALETTES)
def test_text_can_be_read_on_what_lies_behind_it(palette: Palette) -> None:
    """WCAG 2.2: 4.5 for text, 3 for large text."""
    assert contrast(palette.ink, palette.ground) >= 7
    assert contrast(palette.ink, palette.third) >= 4.5
    assert contrast(palette.on_accent, palette.accent) >= 3
    for large in (palette.accent, palette.second):
        assert contrast(large, palette.ground) >= 3
    assert contrast(palette.second, palette.third) >= 3


def test_a_card_has_one_palette_and_cards_have_several() -> None:
    assert [palette_of(card) for card in CARDS] == [palette_of(card) for card in CARDS]
    assert len({palette_of(card) for card in CARDS}) > 2
