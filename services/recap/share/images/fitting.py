"""Fitting: text into a box, as large as it can be, cut with an ellipsis where it must."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import budoux
import regex

from services.recap.share.images.shaping import ShapedText, shape
from services.recap.share.images.typefaces import Typefaces, Weight
from services.recap.share.images.writing import ELLIPSIS, clusters, direction, prepared

# Line heights: what stacks above and below needs more.
_LEADING: Final = 1.1
_TALL_LEADING: Final = 1.42
_TALL: Final = regex.compile(r"[\p{Arabic}\p{Thai}]")
_THAI: Final = regex.compile(r"\p{Thai}")
# Halvings of the width; more are not seen.
_EVENINGS: Final = 4
# What spaces at ends of lines may save: more than this and no breaking makes it fit.
_SLACK: Final = 1.25
_WORD: Final = regex.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Style:
    """How a text may be set: sizes in pixels, largest first."""

    weight: Weight
    sizes: Sequence[float]
    most_lines: int = 1


@dataclass(frozen=True, slots=True)
class FittedText:
    """Lines that fit, at one size."""

    lines: tuple[ShapedText, ...]
    size: float
    leading: float
    is_cut: bool

    @property
    def height(self) -> float:
        """Pixels from the top of the first line's ink to the bottom of the last one's."""
        if not self.lines:
            return 0.0
        between = (len(self.lines) - 1) * self.leading * self.size
        first, last = self.lines[0].ink, self.lines[-1].ink
        return between + (last.bottom - first.top) * self.size

    @property
    def width(self) -> float:
        """Pixels of the widest line."""
        return max((line.width(self.size) for line in self.lines), default=0.0)


class Setter:
    """Sets text in one language's direction."""

    def __init__(
        self,
        typefaces: Typefaces,
        *,
        right_to_left: bool,
        thai: budoux.Parser | None = None,
    ) -> None:
        self._typefaces = typefaces
        self.right_to_left = right_to_left
        self._thai = budoux.load_default_thai_parser() if thai is None else thai

    def fit(self, text: str, style: Style, *, width: float, height: float) -> FittedText:
        """The text in at most `style.most_lines` lines within a box.

        In the largest size that takes all of it between words; failing that, in the smallest
        one, cut between clusters with an ellipsis.
        """
        text = prepared(text, self._typefaces)
        if direction(text, right_to_left=self.right_to_left) != self.right_to_left:
            # A name of another script keeps its own order, as if isolated.
            turned = Setter(self._typefaces, right_to_left=not self.right_to_left, thai=self._thai)
            return turned.fit(text, style, width=width, height=height)
        words = self._words(text)
        leading = _TALL_LEADING if _TALL.search(text) else _LEADING
        advance = self._shaped(text, style.weight).advance
        for size in style.sizes:
            if advance * size > width * style.most_lines * _SLACK:
                continue
            lines = self._broken(words, style, width / size)
            if lines is not None:
                even = self._evened(words, style, lines, width / size)
                fitted = FittedText(even, size, leading, is_cut=False)
                if fitted.height <= height:
                    return fitted
        return self._cut(words, style, leading, width=width, height=height)

    def _words(self, text: str) -> list[str]:
        """Where a line may end: after spaces, and between the words of Thai, which has none."""
        words: list[str] = []
        for word in _WORD.findall(text):
            words.extend(self._thai.parse(word) if _THAI.search(word) else [word])
        return words

    def _broken(
        self, words: Sequence[str], style: Style, width: float
    ) -> tuple[ShapedText, ...] | None:
        """Lines of at most `width` ems; None when they are too many or a word is too wide."""
        lines: list[ShapedText] = []
        pending = list(words)
        while pending:
            if len(lines) == style.most_lines:
                return None
            count, line = self._longest(pending, style.weight, width)
            if line is None:
                return None
            lines.append(line)
            pending = pending[count:]
        return tuple(lines)

    def _evened(
        self, words: Sequence[str], style: Style, lines: tuple[ShapedText, ...], width: float
    ) -> tuple[ShapedText, ...]:
        """As many lines, as equally long as a few tries can make them."""
        if len(lines) < 2:
            return lines
        even, narrow = lines, sum(line.advance for line in lines) / len(lines)
        for _ in range(_EVENINGS):
            tried = (narrow + width) / 2
            found = self._broken(words, style, tried)
            if found is not None and len(found) == len(lines):
                even, width = found, tried
            else:
                narrow = tried
        return even

    def _longest(
        self, words: Sequence[str], weight: Weight, width: float, end: str = ""
    ) -> tuple[int, ShapedText | None]:
        """As many of the first words as fit on a line; none when not one does."""
        low, step, best = 0, 1, None
        high = len(words)
        # First in growing steps: what follows a line may be very long.
        while low + step <= high:
            line = self._shaped("".join(words[: low + step]).rstrip() + end, weight)
            if line.width(1.0) > width:
                high = low + step - 1
                break
            low, step, best = low + step, 2 * step, line
        while low < high:
            middle = (low + high + 1) // 2
            line = self._shaped("".join(words[:middle]).rstrip() + end, weight)
            if line.width(1.0) <= width:
                low, best = middle, line
            else:
                high = middle - 1
        return low, best

    def _cut(
        self, words: Sequence[str], style: Style, leading: float, *, width: float, height: float
    ) -> FittedText:
        size = style.sizes[-1]
        for most_lines in range(style.most_lines, 0, -1):
            fitted = self._cut_to(words, style.weight, most_lines, leading, size, width)
            if fitted.height <= height:
                return fitted
        # One line of the smallest size is still too tall: smaller it goes, whatever it is.
        while fitted.height > height:
            size *= min(0.9, height / fitted.height)
            fitted = self._cut_to(words, style.weight, 1, leading, size, width)
        return fitted

    def _cut_to(
        self,
        words: Sequence[str],
        weight: Weight,
        most_lines: int,
        leading: float,
        size: float,
        width: float,
    ) -> FittedText:
        lines: list[ShapedText] = []
        pending = list(words)
        while pending and len(lines) < most_lines:
            count, line = self._longest(pending, weight, width / size)
            if line is not None and count == len(pending):
                return FittedText((*lines, line), size, leading, is_cut=False)
            if len(lines) == most_lines - 1:
                break
            if line is None:
                parts = clusters(pending[0])
                kept, line = self._longest(parts, weight, width / size)
                if line is None:
                    break
                pending[0] = "".join(parts[kept:])
            else:
                pending = pending[count:]
            lines.append(line)
        rest = clusters("".join(pending))
        _, last = self._longest(rest, weight, width / size, ELLIPSIS)
        if last is None:
            last = self._shaped(ELLIPSIS, weight)
        return FittedText((*lines, last), size, leading, is_cut=True)

    def _shaped(self, text: str, weight: Weight) -> ShapedText:
        return shape(text, self._typefaces, weight, right_to_left=self.right_to_left)
