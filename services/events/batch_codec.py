"""Between the batches of the contract and the domain's: items are judged one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from libs.domain.rejection import Rejection
from libs.faults import BatchTooLarge, InvalidField
from libs.storage.recorded import Recorded
from reprise.events.v1 import events_pb2

MessageT = TypeVar("MessageT")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True, eq=False)
class Batch(Generic[ValueT]):
    """The items of a batch that could be read, their places in it, and why others could not."""

    values: list[ValueT]
    places: list[int]
    rejections: list[Rejection]

    def whole(self, recorded: Recorded) -> Recorded:
        """What became of the whole batch, where `recorded` tells it of `values`."""
        return recorded.at(self.places, self.rejections) if self.rejections else recorded


def decode_batch(
    messages: Sequence[MessageT], decode: Callable[[MessageT], ValueT], field: str, *, most: int
) -> Batch[ValueT]:
    """The values of 1 to `most` messages, without those that are none.

    Raises InvalidField for no message, and BatchTooLarge for too many.
    """
    _check_size(messages, field, most)
    batch: Batch[ValueT] = Batch([], [], [])
    for place, message in enumerate(messages):
        try:
            batch.values.append(decode(message))
        except InvalidField as fault:
            batch.rejections.append(Rejection.of(place, fault))
        else:
            batch.places.append(place)
    return batch


def decode_each(
    messages: Sequence[MessageT], decode: Callable[[MessageT], ValueT], field: str, *, most: int
) -> list[ValueT]:
    """The values of 1 to `most` messages, all of them or none.

    An InvalidField names the place, as "profiles[3]"; raises BatchTooLarge for too many.
    """
    _check_size(messages, field, most)
    values: list[ValueT] = []
    try:
        for message in messages:
            values.append(decode(message))  # noqa: PERF401  the count tells where it failed
    except InvalidField as fault:
        raise fault.within(f"{field}[{len(values)}]") from None
    return values


def _check_size(messages: Sequence[MessageT], field: str, most: int) -> None:
    if not messages:
        raise InvalidField(field, "must not be empty")
    if len(messages) > most:
        raise BatchTooLarge(field, most=most, given=len(messages))


def rejection_messages(recorded: Recorded) -> list[events_pb2.Rejection]:
    """The messages of what was rejected."""
    return [
        events_pb2.Rejection(
            index=one.index,
            reason=events_pb2.RejectionReason.ValueType(one.reason),
            field=one.field,
            problem=one.problem,
        )
        for one in recorded.rejections
    ]
