import datetime as dt

import pytest

from libs.domain.viewing import ViewingContext, local_time, zone, zone_names
from libs.faults import InvalidField

NOVEMBER_MS = 1_795_348_800_000  # 2026-11-22T12:00Z


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin", "../zones"]
)
def test_what_only_some_machines_call_a_zone_is_none(name: str) -> None:
    with pytest.raises(InvalidField, match="is no IANA time zone"):
        ViewingContext(time_zone=name)


def test_zones_have_the_rules_of_the_pinned_package_and_not_of_the_machine() -> None:
    # British Columbia has set its clocks for the last time in March 2026.
    assert local_time(NOVEMBER_MS, "America/Vancouver").utcoffset() == dt.timedelta(hours=-7)


def test_every_zone_can_be_read() -> None:
    assert len(zone_names()) > 500
    assert all(zone(name).key == name for name in zone_names())
