"""How each title feels: mood, energy and the company it suits, hidden and as tags."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.simulation.config import SimulationConfig, Stream
from libs.simulation.latent import LatentSpace, directions
from libs.simulation.traits import Traits
from libs.simulation.words import GENRES

# Where in the hidden space each attribute points: at genres, as far as the number says.
_MOODS: Final = {
    "mood:dark": {"Horror": 1.0, "Crime": 0.8, "Thriller": 0.5, "Drama": 0.2},
    "mood:funny": {"Comedy": 1.0, "Animation": 0.5, "Family": 0.2},
    "mood:feel-good": {"Family": 1.0, "Romance": 0.7, "Comedy": 0.3},
    "mood:tense": {"Thriller": 1.0, "Mystery": 0.7, "Action": 0.4},
    "mood:thoughtful": {"Documentary": 1.0, "Drama": 0.6, "Science Fiction": 0.4},
    "mood:moving": {"Drama": 1.0, "Romance": 0.8},
    "mood:adventurous": {"Adventure": 1.0, "Fantasy": 0.8, "Science Fiction": 0.6},
}
_COMPANY: Final = {
    "company:alone": {"Documentary": 0.8, "Mystery": 0.8, "Drama": 0.6},
    "company:couple": {"Romance": 1.0, "Thriller": 0.5, "Drama": 0.4},
    "company:family": {"Family": 1.0, "Animation": 1.0, "Adventure": 0.4},
    "company:friends": {"Comedy": 0.8, "Horror": 0.7, "Action": 0.8},
}
_ENERGY: Final = {
    "Action": 1.0, "Thriller": 0.6, "Horror": 0.6, "Adventure": 0.5, "Science Fiction": 0.2,
    "Documentary": -1.0, "Drama": -0.6, "Romance": -0.5, "Mystery": -0.3, "Family": -0.2,
}  # fmt: skip
_ENERGIES: Final = ("energy:calm", "energy:steady", "energy:intense")
_NOT_FOR_FAMILIES: Final = 16  # years of maturity
_STEADY: Final = 0.9  # a third of the titles is neither calm nor intense

MOODS: Final = tuple(_MOODS)
COMPANIES: Final = tuple(_COMPANY)
ATTRIBUTES: Final = (*MOODS, *_ENERGIES, *COMPANIES)
_FEELING_NOISE: Final = 0.25  # of a title's own, in the cosine's spread: no genre explains it
_TAGGING_NOISE: Final = 0.35  # whoever writes the tags errs
_SECOND_TAG: Final = 0.8  # a second mood or company is tagged from so strong a score


@dataclass(frozen=True, slots=True, eq=False)
class Moods:
    """Truth and tags of n titles that can be recommended."""

    scores: NDArray[np.float64]  # (n, ATTRIBUTES) standardised: how much a title is of each
    tags: tuple[tuple[str, ...], ...]  # (n,) what the catalogue says, with errors


def draw_moods(config: SimulationConfig, space: LatentSpace, traits: Traits) -> Moods:
    """Draw how the titles feel; from a stream of its own, so that nothing else is shifted."""
    rng = config.rng(Stream.MOODS)
    moods = _along(list(_MOODS.values()), space, traits, rng)
    company = _along(list(_COMPANY.values()), space, traits, rng)
    company[traits.maturity_years >= _NOT_FOR_FAMILIES, COMPANIES.index("company:family")] -= 3.0
    energy = _along([_ENERGY], space, traits, rng)[:, 0]
    tags = [
        (*_top(MOODS, mood), _ENERGIES[int(np.argmax(level))], *_top(COMPANIES, suits))
        for mood, level, suits in zip(
            _mistake(moods, rng),
            _levels(_mistake(energy, rng)),
            _mistake(company, rng),
            strict=True,
        )
    ]
    return Moods(np.concatenate([moods, _levels(energy), company], axis=1), tuple(tags))


def _along(
    anchors: list[dict[str, float]],
    space: LatentSpace,
    traits: Traits,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(n, anchors): how far each title lies towards each anchor, standardised over titles."""
    weights = np.array([[anchor.get(genre.name, 0.0) for genre in GENRES] for anchor in anchors])
    cosines = traits.vectors @ directions(weights @ space.genres).T
    noise = _FEELING_NOISE * rng.standard_normal(cosines.shape)
    return _standardised(_standardised(cosines) + noise)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _levels(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): calm, steady and intense from one axis."""
    return np.stack([-energy, _STEADY - np.abs(energy), energy], axis=1)


def _mistake(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(scores + _TAGGING_NOISE * rng.standard_normal(scores.shape))


def _top(names: tuple[str, ...], scores: NDArray[np.float64]) -> tuple[str, ...]:
    """The strongest, and the second where it is strong as well."""
    first, second = np.argsort(-scores, kind="stable")[:2].tolist()
    return (names[first], names[second]) if scores[second] >= _SECOND_TAG else (names[first],)
