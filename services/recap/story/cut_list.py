"""The cut list: pieces of episodes that make a recap video."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libs.domain.beat import Beat

MOST_MS: Final = 120_000
# Shorter than this a shot is not read; longer is no recap any more.
LEAST_CUT_MS: Final = 2_000
MOST_CUT_MS: Final = 15_000
# Closer than this, a jump is seen as a mistake.
_ADJACENT_MS: Final = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """A piece of an episode; `place` is the episode's in the series."""

    place: int
    from_ms: int
    to_ms: int


def cut_list(beats: Sequence[tuple[int, Beat]], length_ms: int) -> list[Cut]:
    """Cuts in the order of the series from beats that come best first, each with its place.

    Every beat has an equal share of `length_ms`, around the frame that stands for it and within
    it; what is adjacent is joined, and what is left too short is left out. The sum is at most
    `length_ms` and MOST_MS.
    """
    length_ms = min(length_ms, MOST_MS)
    share_ms = max(LEAST_CUT_MS, min(MOST_CUT_MS, length_ms // max(1, len(beats))))
    cuts: list[Cut] = []
    for place, beat in beats:
        joined = _joined([*cuts, _around(place, beat, share_ms)])
        # Those too short now may be joined by what comes.
        if _length_ms(joined) <= length_ms:
            cuts = joined
    return [cut for cut in cuts if cut.to_ms - cut.from_ms >= LEAST_CUT_MS]


def _around(place: int, beat: Beat, share_ms: int) -> Cut:
    """A piece of the beat with its frame as near to the middle as the beat allows."""
    length_ms = min(share_ms, beat.end_ms - beat.start_ms)
    from_ms = beat.thumbnail_ms - length_ms // 2
    from_ms = max(beat.start_ms, min(from_ms, beat.end_ms - length_ms))
    return Cut(place, from_ms, from_ms + length_ms)


def _joined(cuts: Sequence[Cut]) -> list[Cut]:
    joined: list[Cut] = []
    for cut in sorted(cuts):
        last = joined[-1] if joined else None
        if last and last.place == cut.place and cut.from_ms - last.to_ms <= _ADJACENT_MS:
            joined[-1] = Cut(cut.place, last.from_ms, cut.to_ms)
        else:
            joined.append(cut)
    return joined


def _length_ms(cuts: Sequence[Cut]) -> int:
    return sum(cut.to_ms - cut.from_ms for cut in cuts)
