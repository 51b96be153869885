"""How long a text takes to read."""

import math
import re
from typing import Final

# Silent reading of English, over 190 studies (Brysbaert 2019).
WORDS_PER_MINUTE: Final = 238

# Han and kana are read at some 255 signs a minute (Trauzettel-Klosinski and Dietz 2012): a word
# each. Thai, Lao, Burmese and Khmer put no space between words of some five signs.
_SIGNS: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_SIGNS_A_WORD: Final = 5


def word_count(text: str) -> int:
    """How many words it reads like; at least 1."""
    rest, signs = _SIGNS.subn(" ", text)
    rest, unspaced = _UNSPACED.subn(" ", rest)
    return max(1, len(rest.split()) + signs + math.ceil(unspaced / _SIGNS_A_WORD))


def reading_ms(words: int) -> int:
    """How long so many words take."""
    return round(words * 60_000 / WORDS_PER_MINUTE)
