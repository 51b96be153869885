"""Ranker features of titles alone: made when counters or catalogue change, not per request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.domain.title import TitleKind
from libs.domain.viewing import Device
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.counters import FOREVER
from libs.features.daypart import DAYPART_COUNT
from libs.features.feature import Feature, FeatureKind
from libs.features.title_counters import (
    COUNTED_DEVICES,
    MONTH_MS,
    TITLE_COUNTER_NAMES,
    WEEK_MS,
)
from libs.features.title_table import TitleRows

# How many events of the average title stand behind each rate before its own are counted.
_PRIOR_EVENTS: Final = 20.0

# A country's own watching counts beside this much spread as in the world.
_PRIOR_WATCHED: Final = 500.0
# What a title watched long ago is worth: it only orders those that nobody watches now.
_FADED: Final = 1e-3

_COLUMN: Final = {name: column for column, name in enumerate(TITLE_COUNTER_NAMES)}


@dataclass(frozen=True, slots=True, eq=False)
class TitleBlock:
    """Features of all n rows of a bundle for requests from one country."""

    values: NDArray[np.float32]  # (n, t) of TITLE_FEATURES
    device_lift: NDArray[np.float32]  # (n, devices), by Device; 0 where it is not known
    daypart_lift: NDArray[np.float32]  # (n, DAYPART_COUNT)
    genre_weights: NDArray[np.float32]  # (n, g), each title's genres at length 1


@dataclass(frozen=True, slots=True, eq=False)
class _Titles:
    """What the functions of title features are of: counters of n titles beside their columns."""

    columns: CatalogueColumns
    everywhere: NDArray[np.float64]  # (n, k)
    country: NDArray[np.float64]  # (n, k)

    def of(self, name: str) -> NDArray[np.float64]:
        """One counter (n,) of all countries together."""
        return self.everywhere[:, _COLUMN[name]]

    def here(self, name: str) -> NDArray[np.float64]:
        """One counter (n,) of the request's country."""
        return self.country[:, _COLUMN[name]]


class TitleFeature(NamedTuple):
    """A column and its values (n,)."""

    feature: Feature
    of: Callable[[_Titles], NDArray[Any]]


def _counter(name: str, meaning: str, half_life_ms: float = FOREVER) -> Feature:
    return Feature(name, meaning, FeatureKind.COUNTER, half_life_ms)


TITLE_FEATURES: Final[tuple[TitleFeature, ...]] = (
    TitleFeature(
        _counter("title_engagement_1d", "watched a lot today", 1.0 * DAY_MS),
        lambda titles: np.log1p(titles.of("engagement_1d")),
    ),
    TitleFeature(
        _counter("title_engagement_7d", "watched a lot this week", WEEK_MS),
        lambda titles: np.log1p(titles.of("engagement_7d")),
    ),
    TitleFeature(
        _counter("title_engagement_30d", "watched a lot this month", MONTH_MS),
        lambda titles: np.log1p(titles.of("engagement_30d")),
    ),
    TitleFeature(
        _counter("title_engagement_all", "watched a lot over the years"),
        lambda titles: np.log1p(titles.of("engagement_all")),
    ),
    TitleFeature(
        _counter("title_starts_7d", "often started this week", WEEK_MS),
        lambda titles: np.log1p(titles.of("starts_7d")),
    ),
    TitleFeature(
        _counter("title_impressions_7d", "often shown this week", WEEK_MS),
        lambda titles: np.log1p(titles.of("impressions_7d")),
    ),
    TitleFeature(
        _counter("title_completes_30d", "often watched to the end", MONTH_MS),
        lambda titles: np.log1p(titles.of("completes_30d")),
    ),
    TitleFeature(
        _counter("title_click_rate", "opened by those who see it", WEEK_MS),
        lambda titles: _rate(titles.of("clicks_7d"), titles.of("impressions_7d")),
    ),
    TitleFeature(
        _counter("title_start_rate", "started by those who see it", WEEK_MS),
        lambda titles: _rate(titles.of("starts_7d"), titles.of("impressions_7d")),
    ),
    TitleFeature(
        _counter("title_like_rate", "liked by those who say so"),
        lambda titles: _rate(
            titles.of("likes_all"), titles.of("likes_all") + titles.of("dislikes_all")
        ),
    ),
    TitleFeature(
        _counter("title_trend_1d_7d", "rising today", WEEK_MS),
        lambda titles: _lift(titles.of("engagement_1d"), titles.of("engagement_7d")),
    ),
    TitleFeature(
        _counter("title_trend_7d_30d", "rising this week", MONTH_MS),
        lambda titles: _lift(titles.of("engagement_7d"), titles.of("engagement_30d")),
    ),
    TitleFeature(
        _counter("title_country_engagement_30d", "watched a lot in your country", MONTH_MS),
        lambda titles: np.log1p(titles.here("engagement_30d")),
    ),
    TitleFeature(
        _counter("title_country_lift", "watched more in your country than elsewhere", MONTH_MS),
        lambda titles: _lift(titles.here("engagement_30d"), titles.of("engagement_30d")),
    ),
    TitleFeature(
        Feature("title_is_movie", "a movie"),
        lambda titles: titles.columns.kind == TitleKind.MOVIE,
    ),
    TitleFeature(
        Feature("title_is_series", "a series"),
        lambda titles: titles.columns.kind == TitleKind.SERIES,
    ),
    TitleFeature(
        Feature("title_is_live", "live"),
        lambda titles: titles.columns.kind == TitleKind.LIVE,
    ),
    TitleFeature(
        Feature("title_duration_hours", "its length"),
        lambda titles: titles.columns.duration_ms / 3_600_000,
    ),
    TitleFeature(
        Feature("title_maturity_years", "whom it is fit for"),
        lambda titles: titles.columns.maturity_years,
    ),
)


def title_block(columns: CatalogueColumns, titles: TitleRows) -> TitleBlock:
    """The block of `titles`, which are credited counters aligned with `columns`.

    Rates are shrunk towards that of all titles together, lifts are logarithms of ratios.
    """
    counted = _Titles(
        columns, titles.counters.astype(np.float64), titles.country_counters.astype(np.float64)
    )
    month = counted.of("engagement_30d")
    values = np.stack([one.of(counted) for one in TITLE_FEATURES], axis=1)
    device_lift = np.zeros((len(values), len(Device)))
    for device in COUNTED_DEVICES:
        on = counted.of(f"engagement_30d_{device.name.lower()}")
        device_lift[:, device] = _lift(on, month)
    daypart_lift = [
        _lift(counted.of(f"engagement_30d_daypart_{part}"), month) for part in range(DAYPART_COUNT)
    ]
    return TitleBlock(
        values=values.astype(np.float32),
        device_lift=device_lift.astype(np.float32),
        daypart_lift=np.stack(daypart_lift, axis=1).astype(np.float32),
        genre_weights=_unit_rows(columns.genres),
    )


def popularity(titles: TitleRows) -> NDArray[np.float32]:
    """What the source "popular" goes by (n,): a country's watching of 30 days.

    Shrunk towards the title's share in the world, so a small or unknown country borrows from it;
    what was watched longer ago hardly counts.
    """
    world = titles.counters[:, _COLUMN["engagement_30d"]].astype(np.float64)
    country = titles.country_counters[:, _COLUMN["engagement_30d"]].astype(np.float64)
    ever = titles.counters[:, _COLUMN["engagement_all"]].astype(np.float64)
    known = world + _FADED * ever
    prior = known / max(float(known.sum()), 1e-9)
    score: NDArray[np.float32] = (country + _PRIOR_WATCHED * prior).astype(np.float32)
    return score


def completion_rate(titles: TitleRows) -> NDArray[np.float32]:
    """How many (n,) of a title's starts of 30 days came to its end, shrunk towards that of all."""
    counters = titles.counters.astype(np.float64)
    completes, starts = (counters[:, _COLUMN[name]] for name in ("completes_30d", "starts_30d"))
    return _rate(completes, starts).astype(np.float32)


def _rate(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    usual = part.sum() / max(float(whole.sum()), 1.0)
    rate: NDArray[np.float64] = (part + _PRIOR_EVENTS * usual) / (whole + _PRIOR_EVENTS)
    return rate


def _lift(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of the part's share in the whole beside that of all titles; 0 is usual."""
    usual = max(float(part.sum()), 1e-3) / max(float(whole.sum()), 1.0)
    share = (part + _PRIOR_EVENTS * usual) / (whole + _PRIOR_EVENTS)
    lift: NDArray[np.float64] = np.log(share / usual)
    return lift


def _unit_rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.einsum("ng,ng->n", values, values))
    unit: NDArray[np.float32] = (values / np.maximum(lengths, 1.0)[:, None]).astype(np.float32)
    return unit
