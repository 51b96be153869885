"""What a candidate has to do with the viewer's tastes, habits and surroundings."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.daypart import daypart
from libs.features.feature import Feature, FeatureKind
from libs.features.request import NEVER_DAYS, Request, Taste
from libs.features.title_counters import MONTH_MS
from libs.features.title_record import TASTE_HALF_LIFE_MS


class PairFeature(NamedTuple):
    """A column and its values (n,)."""

    feature: Feature
    of: Callable[[Request], NDArray[np.float32]]


def _taste_feature(name: str, meaning: str) -> Feature:
    return Feature(name, meaning, FeatureKind.COUNTER, TASTE_HALF_LIFE_MS)


def age_days(request: Request) -> NDArray[np.float32]:
    """Days since the release; NEVER_DAYS where that is not known."""
    release_ms = request.columns.release_ms[request.rows]
    days = np.where(release_ms > 0, (request.viewer.at_ms - release_ms) / DAY_MS, NEVER_DAYS)
    return days.astype(np.float32)


def device_lift(request: Request) -> NDArray[np.float32]:
    """How much more than usual the title is watched on this device."""
    lift: NDArray[np.float32] = request.block.device_lift[:, request.viewer.context.device]
    return lift[request.rows]


def daypart_lift(request: Request) -> NDArray[np.float32]:
    """How much more than usual the title is watched in this daypart."""
    lift: NDArray[np.float32] = request.block.daypart_lift[:, daypart(request.local)]
    return lift[request.rows]


def genre_affinity(request: Request) -> NDArray[np.float32]:
    """Between the title's genres and the taste."""
    weights, genres = request.genres, request.taste.genres
    affinity: NDArray[np.float32] = np.einsum("ng,g->n", weights, genres)
    return affinity


def language_share(request: Request) -> NDArray[np.float32]:
    """How much of the taste is in the title's language."""
    columns = request.columns
    return _share_of_code(request, columns.language, len(columns.languages))


def language_is_spoken(request: Request) -> NDArray[np.float32]:
    """Whether the profile says that its people speak the title's language."""
    profile, columns = request.viewer.profile, request.columns
    spoken = profile.languages if profile else ()
    is_spoken = np.array([language in spoken for language in columns.languages], np.float32)
    return is_spoken[columns.language[request.rows]]


def country_share(request: Request) -> NDArray[np.float32]:
    """How much of the taste is from the title's country."""
    columns = request.columns
    return _share_of_code(request, columns.country, len(columns.countries))


def kind_share(request: Request) -> NDArray[np.float32]:
    """How much of the taste is of the title's kind."""
    return _share_of_code(request, request.columns.kind, np.iinfo(np.int8).max)


PAIR_FEATURES: Final[tuple[PairFeature, ...]] = (
    PairFeature(Feature("title_age_days", "how long it has been out"), age_days),
    PairFeature(
        Feature("title_device_lift", "watched on this device", FeatureKind.COUNTER, MONTH_MS),
        device_lift,
    ),
    PairFeature(
        Feature(
            "title_daypart_lift", "watched at this time of the week", FeatureKind.COUNTER, MONTH_MS
        ),
        daypart_lift,
    ),
    PairFeature(_taste_feature("pair_genre_affinity", "your genres"), genre_affinity),
    PairFeature(_taste_feature("pair_language_share", "your usual languages"), language_share),
    PairFeature(Feature("pair_language_is_spoken", "a language you speak"), language_is_spoken),
    PairFeature(_taste_feature("pair_country_share", "countries you watch"), country_share),
    PairFeature(_taste_feature("pair_kind_share", "movies or series, as you like"), kind_share),
)


def _share_of_code(
    request: Request, codes: NDArray[np.int16] | NDArray[np.int8], count: int
) -> NDArray[np.float32]:
    """The share (n,) of the taste that has the same code as each candidate."""
    taste: Taste = request.taste
    shares = np.bincount(codes[taste.rows], taste.shares, minlength=count)
    return shares.astype(np.float32)[codes[request.rows]]
