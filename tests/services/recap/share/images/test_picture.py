"""Pictures of cards: nothing missing, nothing over, the same bytes everywhere."""

import dataclasses
import hashlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recap.share.images.picture import SIZES, Format, Painter, Picture
from services.recap.share.images.rasterizer import png
from services.recap.share.shared_card import CardKind, SharedCard
from tests.services.recap.share.images.made_cards import CARDS, DISPLAY_NAMES

PAINTER = Painter()
EVERY = [(card, one) for card in CARDS for one in Format]
NAMES = [f"{card.card_id}-{card.language}-{one.name}" for card, one in EVERY]

# What a person may be called, or a title: 300 characters in each script.
LONG = {
    "latin": "The Very Long Winter of the Cartographer " * 8,
    "unbroken": "W" * 300,
    "arabic": "ثعلب يورفال الصغير " * 16,
    "thai": "จิ้งจอกแห่งยอร์เวล" * 17,
    "emoji": "👨‍👩‍👧🤖" * 50,
    "marks": ("e" + "\u0301\u0323\u0302" * 5) * 19,
    "unknown": "漢字かな交じり文" * 37,
}


def over(picture: Picture) -> list[str]:
    """Texts that are drawn outside of their boxes, by more than rounding."""
    return [
        text.text
        for text in picture.texts
        if text.ink.x < text.box.x - 0.2
        or text.ink.right > text.box.right + 0.2
        or text.ink.y < text.box.y - 0.2
        or text.ink.bottom > text.box.bottom + 0.2
    ]


def outside(picture: Picture, format: Format) -> list[str]:
    width, height = SIZES[format]
    return [
        text.text
        for text in picture.texts
        if text.ink.x < 0 or text.ink.y < 0 or text.ink.right > width or text.ink.bottom > height
    ]


def overlapping(picture: Picture) -> list[tuple[str, str]]:
    """Pairs of texts whose ink meets."""
    return [
        (one.text, other.text)
        for place, one in enumerate(picture.texts)
        for other in picture.texts[place + 1 :]
        if one.ink.x < other.ink.right
        and other.ink.x < one.ink.right
        and one.ink.y < other.ink.bottom
        and other.ink.y < one.ink.bottom
    ]


@pytest.mark.parametrize(("card", "format"), EVERY, ids=NAMES)
def test_everything_of_a_card_is_drawn_within_its_boxes(card: SharedCard, format: Format) -> None:
    picture = PAINTER.paint(card, DISPLAY_NAMES[card.language], format)
    assert sum(text.missing_count for text in picture.texts) == 0
    assert not any("\u25a1" in text.text for text in picture.texts)
    assert not any(text.is_cut for text in picture.texts)
    assert over(picture) == []
    assert outside(picture, format) == []
    assert overlapping(picture) == []
    root = ET.fromstring(picture.svg)  # noqa: S314 - ours
    assert (int(root.attrib["width"]), int(root.attrib["height"])) == SIZES[format]
    assert not root.findall(".//{http://www.w3.org/2000/svg}text"), "text would need a font"


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("kind", CardKind)
def test_long_names_stay_within_their_boxes(name: str, format: Format, kind: CardKind) -> None:
    long = LONG[name][:300]
    language = name[:2] if name == "arabic" else "en"
    card = SharedCard("titles", kind, language, long, long, long, (long,) * 5)
    picture = PAINTER.paint(card, long, format)
    assert sum(text.missing_count for text in picture.texts) == 0
    assert over(picture) == []
    assert outside(picture, format) == []
    assert overlapping(picture) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=90), st.sampled_from(EVERY))
def test_any_text_stays_within_its_box(
    short: str, long: str, chosen: tuple[SharedCard, Format]
) -> None:
    card = dataclasses.replace(chosen[0], headline=short, text=long, names=(long, short))
    picture = PAINTER.paint(card, short, chosen[1])
    assert sum(text.missing_count for text in picture.texts) == 0
    assert over(picture) == []
    ET.fromstring(picture.svg)  # noqa: S314 - ours


def test_arabic_is_the_mirror_of_latin() -> None:
    left = PAINTER.paint(dataclasses.replace(CARDS[0], language="en"), "A", Format.LINK)
    right = PAINTER.paint(dataclasses.replace(CARDS[0], language="ar"), "A", Format.LINK)
    width = SIZES[Format.LINK][0]
    for one, other in zip(left.texts, right.texts, strict=True):
        assert other.box.right == pytest.approx(width - one.box.x)


PRINT = """
import hashlib, sys
from services.recap.share.images.picture import Format, Painter
from services.recap.share.images.rasterizer import png
from tests.services.recap.share.images.made_cards import CARDS, DISPLAY_NAMES
painter = Painter()
for card in reversed(CARDS):
    svg = painter.paint(card, DISPLAY_NAMES[card.language], Format.LINK).svg
    sys.stdout.write(hashlib.sha256(png(svg)).hexdigest() + "\\n")
"""


def test_the_bytes_are_the_same_twice_and_in_a_new_process() -> None:
    def digests() -> list[str]:
        svgs = [
            PAINTER.paint(card, DISPLAY_NAMES[card.language], Format.LINK).svg for card in CARDS
        ]
        return [hashlib.sha256(png(svg)).hexdigest() for svg in svgs]

    first = digests()
    assert digests() == first
    other = subprocess.run(
        [sys.executable, "-c", PRINT], capture_output=True, text=True, check=True
    )
    assert other.stdout.split() == first[::-1]


def test_the_bytes_are_those_of_the_pinned_renderer() -> None:
    """Whoever changes fonts, designs or pins looks at the images and writes the new digest."""
    svg = PAINTER.paint(CARDS[0], "Maren", Format.STORY).svg
    assert hashlib.sha256(png(svg)).hexdigest()[:16] == "d75496ea28750f45"


SAMPLES = Path(__file__).parents[5] / "docs" / "images"


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.svg")))
def test_the_samples_of_the_readme_are_painted_as_now(name: str) -> None:
    card_id, language, size = name.split("-")
    [card] = [card for card in CARDS if (card.card_id, card.language) == (card_id, language)]
    svg = PAINTER.paint(card, DISPLAY_NAMES[language], Format[size.upper()]).svg
    assert (SAMPLES / f"{name}.svg").read_text(encoding="utf-8") == svg
    assert len(svg) < 150_000
