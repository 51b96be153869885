"""Writing: how text is cut into clusters, in which direction it runs and what stands in for it.

Nothing here measures: that is shaping's.
"""

import unicodedata
from typing import Final

import regex
from bidi import algorithm as bidi

from services.recap.share.images.typefaces import EMOJI, Typefaces

# Stands for a cluster that no font has: a white square, as readers know it.
REPLACEMENT: Final = "\u25a1"
ELLIPSIS: Final = "\u2026"

# More than any orthography stacks; beyond it marks would climb out of their line.
_MOST_MARKS: Final = 3

# Clusters that are remembered.
_MOST_CHOSEN: Final = 10_000

_CLUSTER: Final = regex.compile(r"\X")
# Told to be an emoji, or one unless told otherwise.
_EMOJI: Final = regex.compile(r"\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Regional_Indicator}")
# Draws nothing by itself: joiners and selectors, which a font may do without.
_INVISIBLE: Final = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_SPACE: Final = regex.compile(r"\s+")
# What has no place in a line: controls, halves of pairs and what turns the direction of others.
_REFUSED: Final = regex.compile(r"[\p{Cc}\p{Cs}\p{Cn}\p{Co}\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT: Final = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
)


def clusters(text: str) -> list[str]:
    """The text in what readers take for characters."""
    return list(_CLUSTER.findall(text))


def is_right_to_left(language: str) -> bool:
    """Whether a BCP 47 tag is of a language that is written from right to left."""
    return language.lower().replace("_", "-").partition("-")[0] in _RIGHT_TO_LEFT


def direction(text: str, *, right_to_left: bool) -> bool:
    """Whether a paragraph runs from right to left: by its first strong letter (UAX 9, P2).

    One without any runs as its surroundings do, which `right_to_left` says.
    """
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return right_to_left


def cleaned(text: str) -> str:
    """The text as one line, without what has no place in a line."""
    return str(_REFUSED.sub("", unicodedata.normalize("NFC", _SPACE.sub(" ", text))).strip())


def prepared(text: str, typefaces: Typefaces) -> str:
    """The text as it is drawn: one line, and nothing that no font has.

    What no font has is replaced by one white square, however many clusters of it follow each
    other.
    """
    text = cleaned(text)
    drawn: list[str] = []
    for cluster in clusters(text):
        kept = _with_few_marks(cluster)
        if typeface_of(kept, typefaces) is None:
            kept = REPLACEMENT
            if drawn and drawn[-1] == REPLACEMENT:
                continue
        drawn.append(kept)
    return "".join(drawn)


def typeface_of(cluster: str, typefaces: Typefaces) -> int | None:
    """Which typeface draws a whole cluster: its place in `typefaces.all`; None when none does."""
    if cluster not in typefaces.chosen:
        if len(typefaces.chosen) >= _MOST_CHOSEN:
            typefaces.chosen.clear()
        typefaces.chosen[cluster] = _typeface_of(cluster, typefaces)
    return typefaces.chosen[cluster]


def _typeface_of(cluster: str, typefaces: Typefaces) -> int | None:
    needed = {ord(char) for char in cluster if not _INVISIBLE.match(char)}
    order = list(range(len(typefaces.all)))
    if _EMOJI.match(cluster):
        order.insert(0, EMOJI)
    for place in order:
        if needed <= typefaces.all[place].codepoints:
            return place
    return None


def levels(text: str, *, right_to_left: bool) -> list[int]:
    """The embedding level of each character by the Unicode bidirectional algorithm.

    UAX 9 without explicit formatting, which `prepared` has taken out. Odd is right to left.
    """
    base = int(right_to_left)
    storage = bidi.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, "LR"[base]
    bidi.get_embedding_levels(text, storage)
    for place, char in enumerate(storage["chars"]):
        char["place"] = place
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, False)
    bidi.resolve_implicit_levels(storage, False)
    found = {char["place"]: int(char["level"]) for char in storage["chars"]}
    # Joiners are taken out on the way (rule X9): they go with what they follow.
    resolved: list[int] = []
    for place in range(len(text)):
        before = resolved[-1] if resolved else base
        resolved.append(found.get(place, before))
    return resolved


def _with_few_marks(cluster: str) -> str:
    kept, marks = [], 0
    for char in cluster:
        marks += unicodedata.category(char) in ("Mn", "Me") and not _INVISIBLE.match(char)
        if marks <= _MOST_MARKS or unicodedata.category(char) not in ("Mn", "Me"):
            kept.append(char)
    return "".join(kept)
