"""Terms: how near beats are to each other, by TF-IDF (Salton and Buckley 1988).

Weights are those of scikit-learn's TfidfVectorizer: counts times log((1 + n) / (1 + df)) + 1, rows
of unit length. They are made once, when beats are written.
"""

import re
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = re.compile(r"\w+")
# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SIZES: Final = struct.Struct("<qqq")


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The terms of n texts as compressed sparse rows."""

    offsets: NDArray[np.int64]  # (n + 1,) where each row begins
    codes: NDArray[np.int32]  # (m,)
    weights: NDArray[np.float32]  # (m,) a row's have length 1, or there are none
    size: int  # how many terms there are

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All that it holds."""
        return self.offsets, self.codes, self.weights

    def take(self, rows: NDArray[np.intp]) -> "Terms":
        """Those of `rows` (k,) alone."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        places = np.repeat(self.offsets[rows], lengths) + within
        return Terms(offsets, self.codes[places], self.weights[places], self.size)

    def row(self, place: int) -> NDArray[np.float64]:
        """One row (size,)."""
        own = slice(self.offsets[place], self.offsets[place + 1])
        found = np.zeros(self.size)
        found[self.codes[own]] = self.weights[own]
        return found

    def total(self) -> NDArray[np.float64]:
        """The sum of all rows (size,), of unit length; zeros without terms."""
        summed = np.bincount(self.codes, self.weights, minlength=self.size).astype(np.float64)
        length = float(np.sqrt(summed @ summed))
        return summed / length if length else summed

    def cosines(self, other: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row with `other` (size,), which has unit length: (n,)."""
        near = np.zeros(len(self.offsets) - 1)
        filled = np.flatnonzero(np.diff(self.offsets))
        if len(filled):
            shares = self.weights * other[self.codes]
            near[filled] = np.add.reduceat(shares, self.offsets[filled])
        return near

    def encode(self) -> bytes:
        """The bytes of all of it."""
        sizes = _SIZES.pack(len(self.offsets) - 1, len(self.codes), self.size)
        return sizes + self.offsets.tobytes() + self.codes.tobytes() + self.weights.tobytes()


def decode(data: bytes) -> Terms:
    """The inverse of `Terms.encode`; no bytes are no texts."""
    if not data:
        return terms([])
    n, m, size = _SIZES.unpack_from(data)
    offsets = np.frombuffer(data, "<i8", n + 1, _SIZES.size)
    codes = np.frombuffer(data, "<i4", m, _SIZES.size + offsets.nbytes)
    weights = np.frombuffer(data, "<f4", m, _SIZES.size + offsets.nbytes + codes.nbytes)
    return Terms(offsets, codes, weights, size)


def terms(texts: Sequence[str]) -> Terms:
    """The terms of n texts, weighed by their rarity among these."""
    counted = [Counter(words(text)) for text in texts]
    shown_in = Counter(word for counts in counted for word in counts)
    code_of = {word: code for code, word in enumerate(sorted(shown_in))}
    offsets = np.cumsum([0, *map(len, counted)], dtype=np.int64)
    codes = np.array([code_of[word] for counts in counted for word in counts], np.int32)
    counts = np.array([count for counts in counted for count in counts.values()], np.float64)
    document_counts = np.array([shown_in[word] for word in sorted(shown_in)], np.float64)
    weights = counts * (np.log((1 + len(texts)) / (1 + document_counts)) + 1)[codes]
    rows = np.repeat(np.arange(len(texts)), np.diff(offsets))
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts)))
    return Terms(offsets, codes, (weights / lengths[rows]).astype(np.float32), len(code_of))


def words(text: str) -> list[str]:
    """The words of a text, case folded; where none are spaced, every two signs."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if len(word) > 1 and _UNSPACED.search(word):
            found.extend(word[place : place + 2] for place in range(len(word) - 1))
        else:
            found.append(word)
    return found
