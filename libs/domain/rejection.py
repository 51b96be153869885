"""Rejections: why one item of a batch was not stored, while the others were."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from libs.faults import InvalidField


class RejectionReason(IntEnum):
    """Why, for programs; numbers are those of the contract."""

    INVALID_FIELD = 1
    UNKNOWN_KIND = 2
    WRONG_DETAIL = 3
    AHEAD = 4
    PAST_THE_END = 5
    FOREIGN_PROFILE = 6
    ERASED_PROFILE = 7


# The fields of an event whose faults have a reason of their own.
_REASON_OF_FIELD: Final = {
    "kind": RejectionReason.UNKNOWN_KIND,
    "detail": RejectionReason.WRONG_DETAIL,
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """The item at `index` of its batch, and what is wrong with it."""

    index: int
    reason: RejectionReason
    field: str
    problem: str

    @classmethod
    def of(cls, index: int, fault: InvalidField) -> "Rejection":
        """What an InvalidField means for the item at `index`."""
        reason = _REASON_OF_FIELD.get(fault.field, RejectionReason.INVALID_FIELD)
        return cls(index, reason, fault.field, fault.problem)
