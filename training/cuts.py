"""Cuts: the moments that training looks back from and forward to."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS

# Shares of the events that lie before each cut: six to train on, one to stop by, one to judge.
# Six, because profiles that are active on both sides of a cut are few in a log of short bursts.
TRAINING_SHARES: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
STOPPING_SHARE: Final = 0.8
EVALUATION_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Cut:
    """Features are of events before `time_ms`, labels of those from then on for the horizon."""

    time_ms: int
    horizon_ms: int

    @property
    def end_ms(self) -> int:
        """The first moment after the labels."""
        return self.time_ms + self.horizon_ms


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cuts whose labels end before the labels of a later kind begin.

    The windows of `training` all last until `stopping`: what a profile comes to only after weeks
    is a label too, and a window as short as the way to the next cut has few labels (MovieLens 1M,
    last fifth of the log: NDCG@10 .232 instead of .215 after 60 trees; popularity .195).
    """

    training: tuple[Cut, ...]
    stopping: Cut
    evaluation: Cut

    @property
    def all(self) -> tuple[Cut, ...]:
        """In the order of time."""
        return (*self.training, self.stopping, self.evaluation)


def choose_cuts(occurred_ms: NDArray[np.int64], until_ms: int) -> Cuts:
    """Cuts by quantiles of event time `occurred_ms` (n,), ascending and before `until_ms`, n > 0.

    Quantiles, not calendar weeks, because a log may be dense in one month and thin in the next.
    Where windows are longer than two days they start at the nearest 00:00 UTC.
    """
    shares = (*TRAINING_SHARES, STOPPING_SHARE, EVALUATION_SHARE)
    places = [min(int(share * len(occurred_ms)), len(occurred_ms) - 1) for share in shares]
    times = [int(occurred_ms[place]) for place in places]
    edges = np.array([*times, until_ms])
    if np.diff(edges).min() > 2 * DAY_MS:
        times = [round(time_ms / DAY_MS) * DAY_MS for time_ms in times]
    ends = [times[-2]] * len(TRAINING_SHARES) + [times[-1], until_ms]
    cuts = [Cut(start, end - start) for start, end in zip(times, ends, strict=True)]
    return Cuts(training=tuple(cuts[:-2]), stopping=cuts[-2], evaluation=cuts[-1])
