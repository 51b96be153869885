"""Between the messages of decisions and the domain's values."""

from collections.abc import Sequence

from libs.domain.decision import Decision, Part, Purpose
from libs.domain.viewing import Surface
from libs.faults import InvalidField
from libs.serving.decoding import enum_value, time_ms, timestamp
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.events.v1 import events_pb2


def purpose(number: int, field: str) -> Purpose:
    """The purpose of that number; unspecified is LIVE."""
    return enum_value(Purpose, number or Purpose.LIVE, field)


def part_messages(parts: tuple[Part, ...]) -> list[purpose_pb2.Part.ValueType]:
    """The numbers of parts in the contract."""
    return [purpose_pb2.Part.ValueType(part) for part in parts]


def _parts(numbers: Sequence[int]) -> tuple[Part, ...]:
    if len(numbers) > len(Part):  # before each of them is decoded
        raise InvalidField("degraded", f"must be at most {len(Part)}, are {len(numbers)}")
    return tuple(enum_value(Part, number, "degraded") for number in numbers)


def decision(message: events_pb2.Decision) -> Decision:
    """The domain's value; raises InvalidField naming the field of the message."""
    if not message.HasField("decided_at"):
        raise InvalidField("decided_at", "must be given")
    return Decision(
        page_id=message.page_id,
        profile_id=message.profile_id,
        decided_ms=time_ms(message.decided_at, "decided_at"),
        purpose=purpose(message.purpose, "purpose"),
        surface=enum_value(Surface, message.surface, "surface"),
        policy=message.policy,
        title_ids=tuple(message.title_ids),
        propensities=tuple(message.propensities),
        model_version=message.model_version,
        index_version=message.index_version,
        degraded=_parts(message.degraded),
        removed_title_ids=tuple(message.removed_title_ids),
        removed_reasons=tuple(message.removed_reasons),
        arm=message.arm,
    )


def decision_message(value: Decision) -> events_pb2.Decision:
    """The message of the domain's value."""
    return events_pb2.Decision(
        page_id=value.page_id,
        profile_id=value.profile_id,
        decided_at=timestamp(value.decided_ms),
        purpose=purpose_pb2.Purpose.ValueType(value.purpose),
        surface=viewing_pb2.Surface.ValueType(value.surface),
        policy=value.policy,
        title_ids=value.title_ids,
        propensities=value.propensities,
        model_version=value.model_version,
        index_version=value.index_version,
        degraded=part_messages(value.degraded),
        removed_title_ids=value.removed_title_ids,
        removed_reasons=value.removed_reasons,
        arm=value.arm,
    )
