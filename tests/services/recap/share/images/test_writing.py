"""What is drawn of a text, and in which direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recap.share.images.typefaces import EMOJI, Typefaces
from services.recap.share.images.writing import (
    REPLACEMENT,
    clusters,
    direction,
    is_right_to_left,
    levels,
    prepared,
    typeface_of,
)

TYPEFACES = Typefaces()


@pytest.mark.parametrize(
    "text",
    [
        "Ångström, Łódź, Việt Nam, Ελλάδα, Москва – “quoted” … €5",
        "العربية: ثعلبٌ يورفالُ، فارسی گچپژ اردو ٹڈ ہے ١٢٣",
        "ที่นี่ ปู่ ก้ำ น้ำ ผู้ใหญ่ ๑๒๓ ฿",
        "🎬 👨‍👩‍👧 🇵🇹 1️⃣ ❤️ 🧑🏽‍🚀 🏴‍☠️",
    ],
)
def test_latin_arabic_thai_and_emoji_are_drawn_as_they_are(text: str) -> None:
    assert prepared(text, TYPEFACES) == text


def test_what_no_font_has_is_one_white_square() -> None:
    assert prepared("漢字 and ꦗꦮ", TYPEFACES) == f"{REPLACEMENT} and {REPLACEMENT}"
    assert typeface_of(REPLACEMENT, TYPEFACES) is not None


def test_a_line_has_no_controls_and_no_stacks_of_marks() -> None:
    text = "a\u202eb\n\tc\x00" + "e" + "\u0301" * 40
    drawn = prepared(text, TYPEFACES)
    assert drawn.startswith("ab c")
    assert drawn.count("\u0301") <= 3


def test_emoji_are_whole_clusters_of_the_emoji_font() -> None:
    assert clusters("a👨‍👩‍👧🇵🇹") == ["a", "👨‍👩‍👧", "🇵🇹"]
    assert typeface_of("👨‍👩‍👧", TYPEFACES) == EMOJI
    assert typeface_of("1", TYPEFACES) != EMOJI


@pytest.mark.parametrize(
    ("language", "expected"), [("ar", True), ("ar-EG", True), ("he_IL", True), ("th", False)]
)
def test_the_language_says_where_lines_begin(language: str, *, expected: bool) -> None:
    assert is_right_to_left(language) is expected


def test_a_paragraph_runs_as_its_first_letter_does() -> None:
    assert direction("12 ثعلب fox", right_to_left=False)
    assert not direction("(fox) ثعلب", right_to_left=True)
    assert direction("12 🌙", right_to_left=True)


def test_numbers_within_arabic_run_from_the_left() -> None:
    assert levels("ab", right_to_left=False) == [0, 0]
    assert levels("مر 12", right_to_left=True) == [1, 1, 1, 2, 2]
    # A joiner is taken out by the algorithm and goes with what it follows.
    assert levels("ن\u200cم", right_to_left=False) == [1, 1, 1]


@given(st.text(max_size=60))
def test_what_is_prepared_stays_as_it_is(text: str) -> None:
    once = prepared(text, TYPEFACES)
    assert prepared(once, TYPEFACES) == once
    assert len(levels(once, right_to_left=True)) == len(once)
