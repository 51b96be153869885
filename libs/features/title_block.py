"""Ranker features of titles alone: made when counters or catalogue change, not per request."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import TitleKind
from libs.domain.viewing import Device
from libs.features.catalogue_columns import CatalogueColumns
from libs.features.daypart import DAYPART_COUNT
from libs.features.title_counters import COUNTED_DEVICES, TITLE_COUNTER_NAMES
from libs.features.title_table import TitleRows

# How many events of the average title stand behind each rate before its own are counted.
_PRIOR_EVENTS: Final = 20.0

# A country's own watching counts beside this much spread as in the world.
_PRIOR_WATCHED: Final = 500.0
# What a title watched long ago is worth: it only orders those that nobody watches now.
_FADED: Final = 1e-3

TITLE_FEATURE_NAMES: Final = (
    "title_engagement_1d",
    "title_engagement_7d",
    "title_engagement_30d",
    "title_engagement_all",
    "title_starts_7d",
    "title_impressions_7d",
    "title_completes_30d",
    "title_click_rate",
    "title_start_rate",
    "title_like_rate",
    "title_trend_1d_7d",
    "title_trend_7d_30d",
    "title_country_engagement_30d",
    "title_country_lift",
    "title_is_movie",
    "title_is_series",
    "title_is_live",
    "title_duration_hours",
    "title_maturity_years",
)

_COLUMN: Final = {name: column for column, name in enumerate(TITLE_COUNTER_NAMES)}


@dataclass(frozen=True, slots=True, eq=False)
class TitleBlock:
    """Features of all n rows of a bundle for requests from one country."""

    values: NDArray[np.float32]  # (n, t) of TITLE_FEATURE_NAMES
    device_lift: NDArray[np.float32]  # (n, devices), by Device; 0 where it is not known
    daypart_lift: NDArray[np.float32]  # (n, DAYPART_COUNT)
    genre_weights: NDArray[np.float32]  # (n, g), each title's genres at length 1


def title_block(columns: CatalogueColumns, titles: TitleRows) -> TitleBlock:
    """The block of `titles`, which are credited counters aligned with `columns`.

    Rates are shrunk towards that of all titles together, lifts are logarithms of ratios.
    """
    everywhere = titles.counters.astype(np.float64)
    country = titles.country_counters.astype(np.float64)[:, _COLUMN["engagement_30d"]]
    month = everywhere[:, _COLUMN["engagement_30d"]]
    week = everywhere[:, _COLUMN["engagement_7d"]]
    day = everywhere[:, _COLUMN["engagement_1d"]]
    impressions = everywhere[:, _COLUMN["impressions_7d"]]
    likes = everywhere[:, _COLUMN["likes_all"]]
    opinions = likes + everywhere[:, _COLUMN["dislikes_all"]]
    values = np.stack(
        (
            np.log1p(day),
            np.log1p(week),
            np.log1p(month),
            np.log1p(everywhere[:, _COLUMN["engagement_all"]]),
            np.log1p(everywhere[:, _COLUMN["starts_7d"]]),
            np.log1p(impressions),
            np.log1p(everywhere[:, _COLUMN["completes_30d"]]),
            _rate(everywhere[:, _COLUMN["clicks_7d"]], impressions),
            _rate(everywhere[:, _COLUMN["starts_7d"]], impressions),
            _rate(likes, opinions),
            _lift(day, week),
            _lift(week, month),
            np.log1p(country),
            _lift(country, month),
            columns.kind == TitleKind.MOVIE,
            columns.kind == TitleKind.SERIES,
            columns.kind == TitleKind.LIVE,
            columns.duration_ms / 3_600_000,
            columns.maturity_years,
        ),
        axis=1,
    )
    devices = [_COLUMN[f"engagement_30d_{device.name.lower()}"] for device in COUNTED_DEVICES]
    dayparts = [_COLUMN[f"engagement_30d_daypart_{part}"] for part in range(DAYPART_COUNT)]
    device_lift = np.zeros((len(values), len(Device)))
    for device, column in zip(COUNTED_DEVICES, devices, strict=True):
        device_lift[:, device] = _lift(everywhere[:, column], month)
    return TitleBlock(
        values=values.astype(np.float32),
        device_lift=device_lift.astype(np.float32),
        daypart_lift=np.stack(
            [_lift(everywhere[:, column], month) for column in dayparts], axis=1
        ).astype(np.float32),
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
