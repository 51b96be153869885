"""How a viewer chooses: what it sees of a slate, and what of that it starts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.viewing import Device
from libs.simulation.tastes import DEVICES

# Titles of a slate by device, in the order of DEVICES.
_SLATE_SIZES: Final = {
    Device.TV: 20,
    Device.PHONE: 12,
    Device.TABLET: 16,
    Device.COMPUTER: 18,
    Device.CONSOLE: 16,
}
SLATE_SIZES: Final = tuple(_SLATE_SIZES[device] for device in DEVICES)
_ALWAYS_SEEN: Final = 2
_LOOKS_ON: Final = 0.7  # the probability of looking at one position more
# The catalogue's whole worth, times this, competes with what is seen: where the slate holds this
# share of all that the viewer would like now, half of the choices fall on it.
OUTSIDE_SHARE: Final = 0.1
SEARCH_SHARE: Final = 0.9  # of those who find nothing on the slate; the others leave


def draw_depth(size: int, rng: np.random.Generator) -> int:
    """How many positions of a slate are seen, from the top."""
    return min(size, _ALWAYS_SEEN + int(rng.geometric(1 - _LOOKS_ON)) - 1)


def seen_shares(size: int) -> NDArray[np.float64]:
    """(size,): the probability that each position is seen, as `draw_depth` draws."""
    return _LOOKS_ON ** np.maximum(np.arange(size) - _ALWAYS_SEEN + 1, 0).astype(np.float64)


def draw_by_weight(weights: NDArray[np.float64], rng: np.random.Generator) -> int:
    """A place of (n,) drawn in proportion to the weights, which must not all be 0."""
    sums = np.cumsum(weights)
    place = int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
    if place < len(weights):
        return place
    return int(np.flatnonzero(weights)[-1])  # rounding drew past the end


def choose(
    worth: NDArray[np.float64], rows: NDArray[np.int64], rng: np.random.Generator
) -> int | None:
    """The position of the seen `rows` that is started, or None for nothing here.

    `worth` (n,) is exp(utility) of the whole catalogue.
    """
    seen = worth[rows]
    outside = OUTSIDE_SHARE * float(worth.sum())
    total = float(seen.sum()) + outside
    if total <= 0:
        return None
    place = draw_by_weight(np.append(seen, outside), rng)
    return place if place < len(rows) else None
