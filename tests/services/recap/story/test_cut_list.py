from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from libs.domain.beat import Beat
from services.recap.story.cut_list import LEAST_CUT_MS, MOST_CUT_MS, Cut, cut_list


def beat(start_ms: int, end_ms: int, thumbnail_ms: int | None = None) -> Beat:
    return Beat(start_ms, end_ms, "x", thumbnail_ms=thumbnail_ms or start_ms)


@st.composite
def placed_beats(draw: st.DrawFn) -> list[tuple[int, Beat]]:
    """Beats of some episodes, without overlap, in any order."""
    found = []
    for place in range(draw(st.integers(0, 3))):
        at_ms = 0
        for _ in range(draw(st.integers(0, 12))):
            start_ms = at_ms + draw(st.sampled_from([0, 900, 1_001, 60_000]))
            at_ms = start_ms + draw(st.integers(1, 40_000))
            found.append((place, beat(start_ms, at_ms, draw(st.integers(start_ms, at_ms - 1)))))
    return draw(st.permutations(found))


@given(placed_beats(), st.sampled_from([30_000, 90_000, 180_000]))
def test_cuts_are_short_apart_in_order_and_from_their_beats(
    beats: list[tuple[int, Beat]], length_ms: int
) -> None:
    cuts = cut_list(beats, length_ms)
    assert cuts == sorted(cuts)
    assert sum(cut.to_ms - cut.from_ms for cut in cuts) <= min(length_ms, 120_000)
    for cut in cuts:
        assert cut.to_ms - cut.from_ms >= LEAST_CUT_MS
        own = [one for place, one in beats if place == cut.place]
        assert any(one.start_ms <= cut.from_ms < one.end_ms for one in own)
        assert any(one.start_ms < cut.to_ms <= one.end_ms for one in own)
    for one, other in pairwise(cuts):
        assert one.place < other.place or other.from_ms - one.to_ms > 1_000


def test_a_cut_shows_the_frame_that_stands_for_its_beat() -> None:
    assert cut_list([(0, beat(0, 100_000, 50_000))], 90_000) == [Cut(0, 42_500, 57_500)]
    assert cut_list([(0, beat(0, 100_000, 1))], 90_000) == [Cut(0, 0, MOST_CUT_MS)]
    assert cut_list([(0, beat(0, 100_000, 99_999))], 90_000) == [Cut(0, 85_000, 100_000)]


def test_what_touches_is_one_cut() -> None:
    beats = [(0, beat(0, 5_000)), (1, beat(0, 5_000)), (0, beat(6_000, 9_000))]
    assert cut_list(beats, 90_000) == [Cut(0, 0, 9_000), Cut(1, 0, 5_000)]


def test_what_is_too_short_alone_is_left_out_unless_it_joins() -> None:
    assert cut_list([(0, beat(0, 1_000))], 90_000) == []
    joined = [(0, beat(0, 1_000)), (0, beat(1_500, 2_500))]
    assert cut_list(joined, 90_000) == [Cut(0, 0, 2_500)]
