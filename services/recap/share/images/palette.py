"""Palettes: the colours of a card, which follow from the card."""

import hashlib
from dataclasses import dataclass
from typing import Final

from services.recap.share.shared_card import SharedCard


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that go together, as #rrggbb; all are opaque, which is drawn in half the time."""

    ground: str  # behind everything
    ink: str  # text on ground
    accent: str  # what is looked at first
    on_accent: str  # text on accent
    second: str  # shapes, and text in large
    third: str  # shapes that stay behind


PALETTES: Final = (
    Palette("#15123b", "#fff4e8", "#ff6a48", "#15123b", "#ffb83d", "#322a86"),
    Palette("#0b2e27", "#f3ffe6", "#c8f250", "#0b2e27", "#48c78e", "#175244"),
    Palette("#2a0a3d", "#fff0fa", "#ff6fb1", "#2a0a3d", "#a97bff", "#541c74"),
    Palette("#05263b", "#ecfbff", "#4be3e4", "#05263b", "#ffd166", "#0e4b6d"),
    Palette("#fff0d9", "#231a42", "#d9481f", "#fff7ec", "#7a3e9d", "#f8d5a3"),
    Palette("#3a1014", "#ffeee2", "#ff8a55", "#3a1014", "#f9c74f", "#702029"),
    Palette("#1a2bb5", "#ffffff", "#ffe24f", "#141f7d", "#ff9ed4", "#3a4fe0"),
    Palette("#dff6ea", "#06322c", "#0b6b58", "#f2fff9", "#b33a5e", "#aee3cb"),
)


def palette_of(card: SharedCard) -> Palette:
    """The palette of a card: the same card has the same one, always."""
    named = "\0".join((card.card_id, card.kind.name, card.figure, *card.names[:1]))
    digest = hashlib.sha256(named.encode()).digest()
    return PALETTES[int.from_bytes(digest[:4], "big") % len(PALETTES)]


def contrast(first: str, second: str) -> float:
    """The contrast of two colours by WCAG 2.2, from 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
