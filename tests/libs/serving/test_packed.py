import numpy as np
import pytest

from libs.faults import InvalidField
from libs.serving.packed import pack_float32, pack_int32, unpack_float32, unpack_int32


def test_packed_arrays_come_back_bit_for_bit() -> None:
    rows = np.array([0, 7, 2**31 - 1], dtype=np.int32)
    scores = np.array([[0.1, -np.inf], [np.pi, 0.0]], dtype=np.float32)
    assert unpack_int32(pack_int32(rows), "rows").tolist() == rows.tolist()
    assert unpack_float32(pack_float32(scores), "scores").tobytes() == scores.tobytes()


def test_the_bytes_are_little_endian() -> None:
    assert pack_int32(np.array([1], dtype=">i4").astype(np.int32)) == b"\x01\x00\x00\x00"


@pytest.mark.parametrize("unpack", [unpack_int32, unpack_float32])
def test_half_a_value_is_refused(unpack: object) -> None:
    with pytest.raises(InvalidField, match="history_rows"):
        unpack(b"\x00" * 5, "history_rows")  # type: ignore[operator]
