from collections.abc import Iterator

import pytest

from libs.faults import Fault, Overloaded
from libs.serving.status import CODES
from reprise.common.v1 import error_reason_pb2


def reasons() -> Iterator[str]:
    waiting = list(Fault.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        yield kind.reason


def test_every_fault_has_a_reason_of_the_contract_and_every_reason_a_fault() -> None:
    contract = {
        name.removeprefix("ERROR_REASON_")
        for name in error_reason_pb2.ErrorReason.keys()  # noqa: SIM118
    } - {"UNSPECIFIED"}
    assert set(reasons()) == contract
    assert set(CODES) == contract


def test_the_text_of_a_fault_tells_its_facts() -> None:
    with pytest.raises(Overloaded, match="retry after 20 ms"):
        raise Overloaded("calls", retry_after_ms=20)
