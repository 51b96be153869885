"""The stories of comparison of one viewer, counted a second time in plain Python."""

from typing import Final

from services.recap.year.cohort import Cohorts
from services.recap.year.comparison import ARCHETYPES
from services.recap.year.diary_sums import Facts

_MILLION: Final = 1_000_000


def compared(
    country: str, minutes: int, taste: Facts, axes: Facts, cohorts: Cohorts
) -> dict[str, Facts]:
    """By story; of a FULL viewer whose own stories `taste` and `axes` are."""
    return {
        "country": _with_country(country, minutes, taste, cohorts),
        "archetype": _with_prototypes(axes, cohorts),
    }


def _with_country(country: str, minutes: int, taste: Facts, cohorts: Cohorts) -> Facts:
    cohort = cohorts.countries.get(country)
    if cohort is None:
        return {}
    found: Facts = {
        "country.code": country,
        "country.percentile": len([least for least in cohort.least_minutes if least < minutes]),
    }
    best: tuple[int, int, str] | None = None
    for fact_id in sorted(taste):
        genre, own = fact_id.partition(".")[2], int(taste[fact_id])
        parts = cohort.genre_parts.get(genre, 0)
        if own < 60 or parts <= 0:
            continue
        # The profile's share of its minutes in tenths of the country's.
        tenths = own * 10 * _MILLION // (minutes * parts)
        if tenths >= 11 and (best is None or (tenths, own) > best[:2]):
            best = tenths, own, genre
    if best is not None:
        found |= {"country.genre": best[2], "country.genre.tenths": best[0]}
    return found


def _with_prototypes(axes: Facts, cohorts: Cohorts) -> Facts:
    if not axes:
        return {}
    scores: dict[str, int] = {}
    for axis, cohort in cohorts.axes.items():
        away = 1000 * int(axes[f"axes.{axis}"]) - cohort.mean
        size = min(1000 * abs(away) // cohort.deviation, 3000) if cohort.deviation else 0
        scores[axis] = size if away > 0 else -size
    fits = [
        one.first_sign * scores[one.first] + one.second_sign * scores[one.second]
        for one in ARCHETYPES
        if one.first in scores and one.second in scores
    ]
    if not fits:
        return {}
    fit = ARCHETYPES[fits.index(max(fits))]
    found: Facts = {"archetype.name": fit.name}
    for place, axis in (("first", fit.first), ("second", fit.second)):
        found[f"archetype.{place}"] = axis
        found[f"archetype.{place}.value"] = int(axes[f"axes.{axis}"])
        found[f"archetype.{place}.average"] = cohorts.axes[axis].mean // 1000
    return found
