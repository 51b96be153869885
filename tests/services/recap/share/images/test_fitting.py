"""Text in boxes: nothing runs over, nothing is cut in two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recap.share.images.fitting import Setter, Style
from services.recap.share.images.typefaces import Typefaces, Weight
from services.recap.share.images.writing import ELLIPSIS, clusters, prepared

TYPEFACES = Typefaces()
SETTERS = {way: Setter(TYPEFACES, right_to_left=way) for way in (False, True)}
STYLE = Style(Weight.BOLD, (80, 60, 40), 2)


def test_the_largest_size_that_takes_all_of_it_is_chosen() -> None:
    short = SETTERS[False].fit("A fox", STYLE, width=500, height=300)
    assert (short.size, len(short.lines), short.is_cut) == (80, 1, False)
    longer = SETTERS[False].fit("The Merry Grandma of Lorova", STYLE, width=500, height=300)
    assert longer.size < 80
    assert not longer.is_cut
    assert " ".join(line.text for line in longer.lines) == "The Merry Grandma of Lorova"


@pytest.mark.parametrize("unit", ["word ", "W", "كلمة ", "คำ", "👨‍👩‍👧", "e\u0301"])
def test_300_characters_are_cut_between_clusters_with_an_ellipsis(unit: str) -> None:
    text = (unit * 300)[:300]
    fitted = SETTERS[False].fit(text, STYLE, width=400, height=160)
    assert fitted.is_cut
    assert fitted.lines[-1].text.endswith(ELLIPSIS)
    drawn = "".join(line.text for line in fitted.lines).removesuffix(ELLIPSIS)
    whole = [one for one in clusters(prepared(text, TYPEFACES)) if not one.isspace()]
    parts = [one for one in clusters(drawn) if not one.isspace()]
    assert parts == whole[: len(parts)]


def test_an_arabic_name_ends_at_the_left_in_any_language() -> None:
    name = "ثعلب يورفال الصغير " * 9
    for setter in SETTERS.values():
        fitted = setter.fit(name, STYLE, width=400, height=160)
        last = fitted.lines[-1]
        ellipsis = setter.fit(ELLIPSIS, STYLE, width=400, height=160).lines[0]
        assert last.glyphs[0].outline == ellipsis.glyphs[0].outline


def test_thai_is_broken_between_words() -> None:
    text = "นาทีที่คุณใช้ไปกับเรื่องราวในปีนี้"
    fitted = SETTERS[False].fit(text, Style(Weight.MEDIUM, (60,), 3), width=520, height=400)
    assert len(fitted.lines) > 1
    assert [line.text for line in fitted.lines if line.text.startswith(("ี", "่", "ิ"))] == []
    assert "".join(line.text for line in fitted.lines) == text


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=120),
    st.booleans(),
    st.floats(60, 900),
    st.floats(30, 400),
    st.integers(1, 4),
)
def test_no_text_runs_over_its_box(
    text: str,
    right_to_left: bool,
    width: float,
    height: float,
    most_lines: int,
) -> None:
    style = Style(Weight.BLACK, (120, 70, 40), most_lines)
    fitted = SETTERS[right_to_left].fit(text, style, width=width, height=height)
    assert len(fitted.lines) <= most_lines
    assert fitted.width <= width + 0.01
    assert fitted.height <= height + 0.01
