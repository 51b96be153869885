import numpy as np

from training.snapshots import COLD_SHARE, sample


def relevant(count: int) -> dict[int, np.ndarray[tuple[int], np.dtype[np.int32]]]:
    return {index: np.array([index], np.int32) for index in range(count)}


def ids(count: int) -> list[str]:
    return [f"p{index}" for index in range(count)]


def test_profiles_without_a_history_are_few_of_those_asked_for() -> None:
    chosen = sample(relevant(100), set(range(30)), ids(100), 1000, np.random.default_rng(1))
    known = [profile_id for profile_id in chosen if int(profile_id[1:]) < 30]
    assert len(known) == 30
    assert len(chosen) - len(known) == round(30 * COLD_SHARE)


def test_no_more_are_chosen_than_asked_for() -> None:
    chosen = sample(relevant(100), set(range(60)), ids(100), 40, np.random.default_rng(1))
    assert len(chosen) == 40
    assert all(chosen[profile_id].tolist() == [int(profile_id[1:])] for profile_id in chosen)
