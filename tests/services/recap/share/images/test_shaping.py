"""Glyphs: joined, stacked and in visual order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recap.share.images.shaping import ShapedText, shape
from services.recap.share.images.typefaces import FILES, FONTS_PATH, Typefaces, Weight

TYPEFACES = Typefaces()


def shaped(text: str, *, right_to_left: bool = False) -> ShapedText:
    return shape(text, TYPEFACES, Weight.BOLD, right_to_left=right_to_left)


def test_arabic_letters_join() -> None:
    apart = sum(shaped(letter).advance for letter in "بيت")
    assert shaped("بيت").advance < apart
    # A letter has another form within a word.
    assert shaped("ببب").glyphs[1].outline != shaped("ب").glyphs[0].outline


def test_arabic_runs_from_the_right() -> None:
    word, number = shaped("مرحبا", right_to_left=True), shaped("123", right_to_left=True)
    both = shaped("مرحبا 123", right_to_left=True)
    # Read from the right: what comes last stands leftmost.
    assert both.glyphs[0].outline == number.glyphs[0].outline
    assert both.glyphs[-1].outline == word.glyphs[-1].outline


def test_thai_vowels_and_tones_stack_above() -> None:
    plain, stacked = shaped("ท"), shaped("ที่")
    assert stacked.advance == pytest.approx(plain.advance, abs=0.01)
    assert stacked.ink.top < plain.ink.top - 0.2


def test_a_family_is_one_glyph() -> None:
    assert len([glyph for glyph in shaped("👨‍👩‍👧").glyphs if not glyph.outline.is_empty]) == 1


@given(st.text(max_size=80), st.booleans())
def test_no_glyph_is_ever_missing(text: str, right_to_left: bool) -> None:
    assert shaped(text, right_to_left=right_to_left).missing_count == 0


def test_each_font_is_small_and_lies_with_its_licence() -> None:
    assert {path.name for path in FONTS_PATH.glob("*.ttf")} == set(FILES)
    for name in FILES:
        assert (FONTS_PATH / name).stat().st_size < 800_000
        licence = (FONTS_PATH / name.replace(".ttf", "-OFL.txt")).read_text()
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
