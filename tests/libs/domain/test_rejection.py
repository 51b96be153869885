from libs.domain.rejection import Rejection, RejectionReason
from libs.faults import InvalidField
from reprise.events.v1 import events_pb2


def test_reasons_are_those_of_the_contract() -> None:
    in_contract = {
        name.removeprefix("REJECTION_REASON_"): number
        for name, number in events_pb2.RejectionReason.items()
        if number
    }
    assert {reason.name: reason.value for reason in RejectionReason} == in_contract


def test_a_fault_keeps_its_field_and_its_words() -> None:
    fault = InvalidField("rating.value", "must be a number")
    wanted = Rejection(3, RejectionReason.INVALID_FIELD, "rating.value", "must be a number")
    assert Rejection.of(3, fault) == wanted
