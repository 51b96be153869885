from typing import Any

import pytest

from libs.domain.decision import Part, Purpose
from libs.domain.profile import Profile
from libs.domain.title import LicenceWindow, Person, Title, TitleKind
from libs.domain.viewing import Device, Surface, ViewingContext, local_time
from libs.faults import InvalidField
from reprise.candidates.v1 import candidates_pb2
from reprise.common.v1 import purpose_pb2, viewing_pb2


def title(**changes: Any) -> Title:
    usual: dict[str, Any] = {"title_id": "t", "kind": TitleKind.MOVIE, "name": "n"}
    return Title(**usual | changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title_id": ""}, "title_id"),
        ({"name": ""}, "name"),
        ({"name": "n" * 513}, "name"),
        ({"synopsis": "s" * 8193}, "synopsis"),
        ({"kind": TitleKind.EPISODE}, "parent_id"),
        ({"parent_id": "t"}, "parent_id"),
        ({"season_number": -1}, "episode_number"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"country": "pt"}, "country"),
        ({"maturity_years": 22}, "maturity_years"),
        ({"genres": ("g",) * 17}, "genres"),
        ({"tags": ("",)}, "tags"),
        ({"people": (Person("x"),) * 65}, "people"),
        ({"licence_windows": (LicenceWindow(),) * 513}, "licence_windows"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        title(**changes)
    assert caught.value.field == field


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidField, match="end_time"):
        LicenceWindow("PT", start_ms=2, end_ms=2)


def test_a_profile_checks_its_time_zone_and_country() -> None:
    with pytest.raises(InvalidField, match="time_zone"):
        Profile("p", time_zone="Mars/Olympus")
    with pytest.raises(InvalidField, match="country"):
        Profile("p", country="Portugal")
    with pytest.raises(InvalidField, match="maturity_limit_years"):
        Profile("p", maturity_limit_years=-1)


def test_local_time_follows_the_zone_through_daylight_saving() -> None:
    winter, summer = 1_768_478_400_000, 1_784_116_800_000  # 12:00 UTC of 15 January, 15 July 2026
    assert local_time(winter, "Europe/Lisbon").hour == 12
    assert local_time(summer, "Europe/Lisbon").hour == 13
    assert local_time(winter, "").hour == 12


def test_a_context_refuses_a_zone_that_does_not_exist() -> None:
    with pytest.raises(InvalidField, match="time_zone"):
        ViewingContext(time_zone="../../etc/passwd")


@pytest.mark.parametrize(
    ("domain", "contract", "prefix", "has_unspecified"),
    [
        (TitleKind, candidates_pb2.TitleKind, "TITLE_KIND_", False),
        (Device, viewing_pb2.Device, "DEVICE_", True),
        (Surface, viewing_pb2.Surface, "SURFACE_", True),
        (Purpose, purpose_pb2.Purpose, "PURPOSE_", False),
        (Part, purpose_pb2.Part, "PART_", False),
    ],
)
def test_enums_are_those_of_the_contract(
    domain: Any, contract: Any, prefix: str, has_unspecified: bool
) -> None:
    in_contract = {
        name.removeprefix(prefix): number
        for name, number in contract.items()
        if number or has_unspecified
    }
    assert {member.name: member.value for member in domain} == in_contract
