"""Decisions: what ranking answered, kept for learning and for "why did I not see X?"."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from libs.domain.identifiers import MAX_ID_LENGTH, check_id, check_word
from libs.domain.viewing import Surface
from libs.faults import InvalidField

# The most candidates that ranking asks for: a slate and what was removed both come from those.
MAX_TITLES: Final = 2_000


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
    arm: str = ""  # of an experiment; "" outside of one

    def __post_init__(self) -> None:
        check_id("page_id", self.page_id)
        check_id("profile_id", self.profile_id)
        if self.decided_ms < 0:
            raise InvalidField("decided_at", "must be 1970 or later")
        check_word("policy", self.policy, MAX_ID_LENGTH)
        check_word("model_version", self.model_version, MAX_ID_LENGTH)
        check_word("index_version", self.index_version, MAX_ID_LENGTH)
        check_word("arm", self.arm, MAX_ID_LENGTH)
        if len(self.degraded) > len(Part):
            raise InvalidField("degraded", f"must be at most {len(Part)}, are {len(self.degraded)}")
        _check_titles("title_ids", self.title_ids)
        if len(self.propensities) != len(self.title_ids):
            raise InvalidField("propensities", "must be as many as title_ids")
        if not all(0 < p <= 1 for p in self.propensities):
            raise InvalidField("propensities", "must be in (0, 1]")
        _check_titles("removed_title_ids", self.removed_title_ids)
        if len(self.removed_reasons) != len(self.removed_title_ids):
            raise InvalidField("removed_reasons", "must be as many as removed_title_ids")
        for reason in set(self.removed_reasons):
            check_id("removed_reasons", reason)


def _check_titles(field: str, title_ids: Collection[str]) -> None:
    if len(title_ids) > MAX_TITLES:
        raise InvalidField(field, f"must be at most {MAX_TITLES}, are {len(title_ids)}")
    # Every answer of ranking makes a decision of hundreds of titles: one look at all of them costs
    # a quarter of one at each (39 against 142 µs for 500), and the usual id passes it.
    joined, lengths = "".join(title_ids), set(map(len, title_ids))
    is_usual = joined.isascii() and joined.isprintable()
    if not is_usual or 0 in lengths or max(lengths, default=0) > MAX_ID_LENGTH:
        for title_id in title_ids:
            check_id(field, title_id)
