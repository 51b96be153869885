"""The question that a RetrieveCandidates call asks, as a value that can be trusted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.identifiers import check_id
from libs.faults import InvalidField

DEFAULT_LIMIT: Final = 500
MAX_LIMIT: Final = 2_000
# Folding in a history costs its length; far more than anybody's taste needs.
MAX_HISTORY: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class CandidateQuery:
    """Rows are those of the bundle named; `as_of_ms` is None for the present.

    That rows are rows of the bundle and weights positive is for retrieval to check.
    """

    tenant: str
    bundle_version: str
    limit: int
    history_rows: NDArray[np.int32]  # (h,), newest first
    history_weights: NDArray[np.float32]  # (h,)
    excluded_rows: NDArray[np.int32]  # (e,)
    country: str
    kids: bool
    maturity_limit_years: int | None
    now_ms: int
    as_of_ms: int | None = None

    def __post_init__(self) -> None:
        check_id("bundle_version", self.bundle_version)
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidField("limit", f"must be from 0 to {MAX_LIMIT}, is {self.limit}")
        if len(self.history_rows) > MAX_HISTORY:
            raise InvalidField("history_rows", f"must have at most {MAX_HISTORY}")
        if self.maturity_limit_years is not None and not 0 <= self.maturity_limit_years <= 21:
            raise InvalidField("maturity_limit_years", "must be from 0 to 21")

    @property
    def at_ms(self) -> int:
        """The moment meant."""
        return self.now_ms if self.as_of_ms is None else self.as_of_ms
