import pytest

from libs.faults import InvalidField
from services.recap.quiz.hold_out import HoldOut

PROFILES = [f"p{number}" for number in range(20_000)]


def held(ratio: float, key: bytes = b"k" * 32, tenant: str = "default") -> set[str]:
    hold_out = HoldOut(ratio, key)
    return {profile_id for profile_id in PROFILES if hold_out.holds(tenant, profile_id)}


def test_it_is_about_its_ratio_of_all_and_a_larger_one_keeps_those_of_a_smaller() -> None:
    few, more = held(0.05), held(0.1)
    assert len(few) == pytest.approx(1_000, rel=0.1)
    assert len(more) == pytest.approx(2_000, rel=0.1)
    assert few < more


def test_none_and_all_are_exact() -> None:
    assert held(0) == set()
    assert held(1) == set(PROFILES)


def test_tenants_and_keys_have_hold_outs_of_their_own() -> None:
    assert held(0.05) == held(0.05)
    for other in (held(0.05, tenant="acme"), held(0.05, key=b"j" * 32)):
        assert len(held(0.05) & other) < 150, "a twentieth of them, by chance"


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_outside_of_0_to_1_is_refused(ratio: float) -> None:
    with pytest.raises(InvalidField):
        HoldOut(ratio, b"k")
