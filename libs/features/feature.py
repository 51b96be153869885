"""What a feature is called, what it means, and which kind of state it comes from."""

from dataclasses import dataclass
from enum import Enum


class FeatureKind(Enum):
    """Where a value comes from; the first four are functions of the set of events alone."""

    COUNTER = "a decayed counter"
    REGISTER = "a register that the newest event writes"
    INTERVALS = "the union of watched intervals"
    ON_READ = "computed on read from the newest of the history"
    GIVEN = "of the request, the catalogue or retrieval, without events"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix; `meaning` is how an explanation says it."""

    name: str
    meaning: str
    kind: FeatureKind = FeatureKind.GIVEN
    half_life_ms: float | None = None  # of what decays
