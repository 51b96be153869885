"""Words of titles, such as their tags or people: few a title, many in all, weighed by rarity."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# What a title has more of are its commonest words, which tell least.
_MOST_A_TITLE: Final = 8
# A taste is a vector over all words, made anew for each request: 16 thousand take 10 µs.
_MOST_WORDS: Final = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """w words at most for each of n titles; a row's weights have length 1, or 0 without words.

    A word weighs log(titles / titles that have it). What one title alone has is left out: nothing
    else is like it. Where a title has fewer than w, the rest are of `names`' length and weigh 0.
    """

    names: tuple[str, ...]  # ascending
    codes: NDArray[np.int32]  # (n, w)
    weights: NDArray[np.float32]  # (n, w)

    def taste(self, rows: NDArray[np.int32], shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weight of each word (names + 1,) in titles `rows` (h,), mixed by `shares` (h,)."""
        weights = self.weights[rows] * shares[:, None]
        size = len(self.names) + 1
        taste = np.bincount(self.codes[rows].ravel(), weights.ravel(), minlength=size)
        return taste.astype(np.float32)

    def affinity(self, taste: NDArray[np.float32], rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """How near each of `rows` (n,) is to a `taste`: their dot product (n,)."""
        near: NDArray[np.float32] = np.einsum(
            "nw,nw->n", taste.take(self.codes.take(rows, axis=0)), self.weights.take(rows, axis=0)
        )
        return near


def words(of_titles: Sequence[Sequence[str]]) -> Words:
    """The words of n titles; the same word twice in one counts once."""
    distinct = [sorted(set(some)) for some in of_titles]
    counts = Counter(word for some in distinct for word in some)
    shared = [(-count, word) for word, count in counts.items() if count > 1]
    names = tuple(sorted(word for _, word in sorted(shared)[:_MOST_WORDS]))
    code_of = {word: code for code, word in enumerate(names)}
    rarity = np.log(len(of_titles) / np.array([counts[word] for word in names], np.float64))
    kept = [
        sorted((code_of[word] for word in some if word in code_of), key=lambda c: -rarity[c])
        for some in distinct
    ]
    width = min(max(map(len, kept), default=0), _MOST_A_TITLE)
    codes = np.full((len(of_titles), width), len(names), np.int32)
    weights = np.zeros((len(of_titles), width))
    for row, some in enumerate(kept):
        few = some[:width]
        codes[row, : len(few)] = few
        weights[row, : len(few)] = rarity[few]
    lengths = np.sqrt(np.einsum("nw,nw->n", weights, weights))
    weights /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return Words(names, codes, weights.astype(np.float32))
