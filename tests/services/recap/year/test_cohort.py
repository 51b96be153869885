import polars as pl
import pytest

from services.recap.year.cohort import (
    LEAST_SIZE,
    PERCENTILES,
    AxisCohort,
    Cohorts,
    Contribution,
    CountryCohort,
    cohorts,
    contribution,
)
from services.recap.year.comparison import country
from services.recap.year.tastes import AXES

COHORT = CountryCohort(LEAST_SIZE, tuple(range(PERCENTILES)), {"drama": 1})
AXIS = AxisCohort(5, 1)


def _contribution(count: int, *, sure: int | None = None) -> Contribution:
    """Viewers of PT with 301, 302 and so on minutes; of all but `sure` the axes are in doubt."""
    ids = [f"p{place:03d}" for place in range(count)]
    members = pl.DataFrame(
        {"profile_id": ids, "country": "PT", "minutes": [301 + place for place in range(count)]}
    )
    taste = pl.DataFrame({"profile_id": ids, "fact_id": "taste.drama", "number": 301})
    axes = pl.DataFrame(
        [(name, f"axes.{axis}", place) for place, name in enumerate(ids[:sure]) for axis in AXES],
        schema={"profile_id": pl.String(), "fact_id": pl.String(), "number": pl.Int64()},
        orient="row",
    )
    return contribution(members, taste, axes)


@pytest.mark.parametrize(("count", "is_one"), [(49, False), (50, True)])
def test_a_cohort_has_fifty_of_a_country(count: int, is_one: bool) -> None:
    found = cohorts([_contribution(count)])
    assert ("PT" in found.countries, set(found.axes) == set(AXES)) == (is_one, is_one)


def test_axes_are_of_fifty_whose_axes_are_sure() -> None:
    # The check in SQL counts those that have an axis, not those that have minutes.
    assert cohorts([_contribution(50, sure=49)]).axes == {}
    assert set(cohorts([_contribution(51, sure=50)]).axes) == set(AXES)


@pytest.mark.parametrize(
    ("minutes", "percentile"),
    [(300, 0), (301, 0), (302, 2), (325, 48), (326, 50), (350, 98), (351, 99), (9_999, 99)],
)
def test_a_percentile_is_of_those_who_watched_less(minutes: int, percentile: int) -> None:
    frozen = cohorts([_contribution(50)])
    own = pl.DataFrame({"profile_id": ["p"], "country": ["PT"], "minutes": [minutes]})
    taste = pl.DataFrame(
        schema={"profile_id": pl.String(), "fact_id": pl.String(), "number": pl.Int64()}
    )
    found = country(own, taste, frozen)
    assert found.filter(pl.col("fact_id") == "country.percentile")["number"].to_list() == [
        percentile
    ]


def test_cohorts_come_back_from_their_text() -> None:
    found = cohorts([_contribution(60)])
    assert Cohorts.of_json(found.to_json()) == found


COUNTRY_TEXT = Cohorts({"PT": COHORT}, {}).to_json()
AXES_TEXT = Cohorts({}, dict.fromkeys(AXES, AXIS)).to_json()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[5]",
        '{"countries": {}, "axes": {"night": [5, 1]}}',
        COUNTRY_TEXT.replace('"size": 50', '"size": 49'),
        COUNTRY_TEXT.replace("98]", '"98"]'),
        COUNTRY_TEXT.replace("[0, 1,", "[1,"),
        COUNTRY_TEXT.replace("[0, 1,", "[1, 0,"),
        COUNTRY_TEXT.replace('"drama": 1', '"drama": "1"'),
        AXES_TEXT.replace("[5, 1]", "[5, -1]"),
        AXES_TEXT.replace("[5, 1]", '"51"'),
    ],
)
def test_what_is_no_cohort_is_refused(text: str) -> None:
    assert text not in (COUNTRY_TEXT, AXES_TEXT)
    with pytest.raises(ValueError, match="no cohorts"):
        Cohorts.of_json(text)
