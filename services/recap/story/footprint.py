"""How much memory beats take, as CPython holds them."""

from collections.abc import Iterable
from sys import getsizeof
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.beat import Beat, Relation

# Three times and the importance, which are objects of their own.
_NUMBERS: Final = 3 * getsizeof(1 << 30) + getsizeof(0.5)
_EMPTY_ARRAY: Final = getsizeof(np.zeros(0))


def beats_bytes(beats: Iterable[Beat]) -> int:
    """Of the beats with all that they hold; what two of them share counts twice."""
    return sum(map(_beat_bytes, beats))


def arrays_bytes(arrays: Iterable[NDArray[Any]]) -> int:
    """Of what arrays hold, and of the arrays themselves; views count as copies."""
    return sum(array.nbytes + _EMPTY_ARRAY for array in arrays)


def _beat_bytes(beat: Beat) -> int:
    own = getsizeof(beat) + _NUMBERS + getsizeof(beat.text)
    names = getsizeof(beat.characters) + sum(map(getsizeof, beat.characters))
    return own + names + getsizeof(beat.relations) + sum(map(_relation_bytes, beat.relations))


def _relation_bytes(one: Relation) -> int:
    names = getsizeof(one.from_character) + getsizeof(one.to_character)
    return getsizeof(one) + names + getsizeof(one.kind)
