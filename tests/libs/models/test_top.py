import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libs.models.top import top_rows


@given(st.lists(st.integers(-2, 2), max_size=30), st.integers(-1, 40))
def test_equals_a_full_sort_with_ties_by_row(values: list[int], k: int) -> None:
    scores = np.array(values, dtype=np.float32)
    expected = sorted(range(len(values)), key=lambda row: (-values[row], row))[: max(k, 0)]
    assert top_rows(scores, k).tolist() == expected
