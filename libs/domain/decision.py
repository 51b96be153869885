"""Decisions: what ranking answered, kept for learning and for "why did I not see X?"."""

from dataclasses import dataclass
from enum import IntEnum

from libs.domain.identifiers import check_id
from libs.domain.viewing import Surface
from libs.faults import InvalidField


class Purpose(IntEnum):
    """Why a request is made; numbers are those of the contract."""

    LIVE = 1
    PREVIEW = 2
    EVALUATION = 3


class Part(IntEnum):
    """A part that an answer can be made without; numbers are those of the contract."""

    EVENTS = 1
    FEATURES = 2
    CANDIDATES = 3
    RANKER = 4
    TITLE_FEATURES = 5
    CATALOGUE = 6


@dataclass(frozen=True, slots=True)
class Decision:
    """One answered page; `propensities` is parallel to `title_ids`, and so are the removed two."""

    page_id: str
    profile_id: str
    decided_ms: int
    policy: str
    title_ids: tuple[str, ...]
    propensities: tuple[float, ...]
    surface: Surface = Surface.UNSPECIFIED
    purpose: Purpose = Purpose.LIVE
    model_version: str = ""
    index_version: str = ""
    degraded: tuple[Part, ...] = ()
    removed_title_ids: tuple[str, ...] = ()
    removed_reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_id("page_id", self.page_id)
        check_id("profile_id", self.profile_id)
        if self.decided_ms < 0:
            raise InvalidField("decided_at", "must be 1970 or later")
        if len(self.propensities) != len(self.title_ids):
            raise InvalidField("propensities", "must be as many as title_ids")
        if not all(0 < p <= 1 for p in self.propensities):
            raise InvalidField("propensities", "must be in (0, 1]")
        if len(self.removed_reasons) != len(self.removed_title_ids):
            raise InvalidField("removed_reasons", "must be as many as removed_title_ids")
