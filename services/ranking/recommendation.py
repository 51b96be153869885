"""What the pipeline answers, before it becomes a message or a decision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from libs.domain.decision import Part


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """k titles, best first, with what made them; arrays are aligned with `title_ids`."""

    page_id: str
    title_ids: tuple[str, ...]  # (k,)
    scores: NDArray[np.float32]  # (k,) before diversity
    source_names: tuple[str, ...]  # (s,)
    source_ranks: NDArray[np.int32]  # (k, s) -1 where the source did not propose the title
    policy: str
    model_version: str
    index_version: str
    trained_until_ms: int
    degraded: tuple[Part, ...]
    is_contextual: bool = False  # the profile refuses that its history is used
