"""What a candidate has to do with the viewer's tastes, habits and surroundings."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import DAY_MS
from libs.features.catalogue_columns import ERA_COUNT
from libs.features.daypart import daypart
from libs.features.feature import Feature, FeatureKind
from libs.features.request import NEVER_DAYS, Request, Taste
from libs.features.title_counters import MONTH_MS
from libs.features.title_record import SIGHT_HALF_LIFE_MS, TASTE_HALF_LIFE_MS

# How much of the whole taste stands behind that of one daypart and device before its own counts.
_PRIOR_SHARE: Final = 0.3
# A title had at another time or on another screen says this much about this time and screen.
_ELSEWHERE: Final = 0.25
# Impressions of a theme before its own click rate counts.
_PRIOR_IMPRESSIONS: Final = 5.0


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
    return _along_genres(request, request.taste.genres)


def genre_affinity_here(request: Request) -> NDArray[np.float32]:
    """As `genre_affinity`, of what was watched at this time of the week and on this device."""
    view, taste, context = request.viewer.view, request.taste, request.viewer.context
    is_now = view.last_daypart[taste.places] == daypart(request.local)
    is_here = view.last_device[taste.places] == context.device
    shares = taste.shares * np.where(is_now, 1.0, _ELSEWHERE) * np.where(is_here, 1.0, _ELSEWHERE)
    genres = np.einsum("hg,h->g", request.block.genre_weights[taste.rows], shares)
    whole = float(shares.sum()) + _PRIOR_SHARE
    return _along_genres(request, (genres + _PRIOR_SHARE * taste.genres) / whole)


def genre_fatigue(request: Request) -> NDArray[np.float32]:
    """The share of this viewer's impressions of the title's genres that nothing came of."""
    impressions, clicks = request.now[:, 2], request.now[:, 3]
    ignored = np.maximum(impressions - clicks, 0.0)
    weights = request.block.genre_weights[request.viewer.view.rows]
    shown = np.einsum("hg,h->g", weights, impressions)
    rates = np.einsum("hg,h->g", weights, ignored) / (shown + _PRIOR_IMPRESSIONS)
    return _along_genres(request, rates)


def tag_affinity(request: Request) -> NDArray[np.float32]:
    """Between the title's tags and the taste."""
    tags, taste = request.columns.tags, request.taste
    return tags.affinity(tags.taste(taste.rows, taste.shares), request.rows)


def people_affinity(request: Request) -> NDArray[np.float32]:
    """Between those who made the title and the taste."""
    people, taste = request.columns.people, request.taste
    return people.affinity(people.taste(taste.rows, taste.shares), request.rows)


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


def is_domestic(request: Request) -> NDArray[np.float32]:
    """Whether the title is from where the viewer is."""
    viewer, columns = request.viewer, request.columns
    here = viewer.context.country or (viewer.profile.country if viewer.profile else "")
    is_here = np.array([bool(here) and here == one for one in columns.countries], np.float32)
    return is_here[columns.country[request.rows]]


def kind_share(request: Request) -> NDArray[np.float32]:
    """How much of the taste is of the title's kind."""
    return _share_of_code(request, request.columns.kind, np.iinfo(np.int8).max)


def era_share(request: Request) -> NDArray[np.float32]:
    """How much of the taste is of the title's decade."""
    return _share_of_code(request, request.columns.era, ERA_COUNT)


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
    PairFeature(
        _taste_feature("pair_genre_affinity_here", "your genres at this time and on this device"),
        genre_affinity_here,
    ),
    PairFeature(
        Feature(
            "pair_genre_fatigue",
            "genres that you pass by",
            FeatureKind.COUNTER,
            SIGHT_HALF_LIFE_MS,
        ),
        genre_fatigue,
    ),
    PairFeature(_taste_feature("pair_tag_affinity", "themes that you like"), tag_affinity),
    PairFeature(
        _taste_feature("pair_people_affinity", "people whose work you watch"), people_affinity
    ),
    PairFeature(_taste_feature("pair_language_share", "your usual languages"), language_share),
    PairFeature(Feature("pair_language_is_spoken", "a language you speak"), language_is_spoken),
    PairFeature(_taste_feature("pair_country_share", "countries you watch"), country_share),
    PairFeature(Feature("pair_is_domestic", "made in your country"), is_domestic),
    PairFeature(_taste_feature("pair_kind_share", "movies or series, as you like"), kind_share),
    PairFeature(_taste_feature("pair_era_share", "decades you like"), era_share),
)


def _along_genres(request: Request, genres: NDArray[np.floating]) -> NDArray[np.float32]:
    """A value (g,) of genres, mixed (n,) as each candidate mixes them."""
    mixed: NDArray[np.float32] = np.einsum("ng,g->n", request.genres, genres.astype(np.float32))
    return mixed


def _share_of_code(
    request: Request, codes: NDArray[np.int16] | NDArray[np.int8], count: int
) -> NDArray[np.float32]:
    """The share (n,) of the taste that has the same code as each candidate."""
    taste: Taste = request.taste
    shares = np.bincount(codes[taste.rows], taste.shares, minlength=count)
    return shares.astype(np.float32)[codes[request.rows]]
