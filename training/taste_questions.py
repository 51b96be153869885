"""Questions about taste that might be asked: about titles, genres, eras and pairs of titles."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.models.taste_question import Facet, TasteQuestion

_OPTIONS: Final = 5
# Viewers can judge what they have heard of, so pairs are made of the most watched.
_KNOWN_TITLES: Final = 60
# Shares of what is watched at which eras begin.
_ERA_SHARES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each kind, at most."""

    titles: int = 40
    genres: int = 120
    pairs: int = 240
    eras: int = 12


def proposed(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    support: NDArray[np.int64],
    shares: NDArray[np.float64],
    counts: Counts,
    rng: np.random.Generator,
) -> tuple[TasteQuestion, ...]:
    """The questions over the titles `ids` (n,), which `support` (n,) profiles have watched.

    `shares` (n,) is what each has of what profiles watch. Pairs are of titles with genres: of
    others nobody knows what is near.
    """
    return (
        *_title_questions(ids, support, counts),
        *_genre_questions(ids, titles, shares, counts, rng),
        *_pair_questions(ids, titles, support, counts, rng),
        *_era_questions(ids, titles, shares, counts, rng),
    )


def _title_questions(
    ids: Sequence[str], support: NDArray[np.int64], counts: Counts
) -> list[TasteQuestion]:
    """About what most have watched: of others hardly anybody has an opinion."""
    best = np.argsort(-support, kind="stable")[: counts.titles]
    return [TasteQuestion(f"title:{ids[row]}", "title", title_id=ids[row]) for row in best.tolist()]


def _genre_questions(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    title_shares: NDArray[np.float64],
    counts: Counts,
    rng: np.random.Generator,
) -> list[TasteQuestion]:
    """Genres beside each other, in many ways: each answer sets one against four others."""
    shares: dict[str, float] = {}
    for title_id, share in zip(ids, title_shares.tolist(), strict=True):
        for genre in titles[title_id].genres if title_id in titles else ():
            shares[genre] = shares.get(genre, 0.0) + share
    names = sorted(shares)
    if len(names) < 2:
        return []
    asked: dict[tuple[str, ...], None] = {}
    for _ in range(counts.genres):
        drawn = rng.choice(len(names), min(_OPTIONS, len(names)), replace=False)
        asked.setdefault(tuple(names[place] for place in np.sort(drawn)))
    return [
        TasteQuestion(
            f"genre:{'+'.join(chosen)}",
            "genre",
            facets=tuple(Facet(shares[name], genre=name) for name in chosen),
        )
        for chosen in asked
    ]


def _pair_questions(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    support: NDArray[np.int64],
    counts: Counts,
    rng: np.random.Generator,
) -> list[TasteQuestion]:
    """Two well-known titles, of which one is nearer to what a history holds."""
    best = np.argsort(-support, kind="stable")[:_KNOWN_TITLES].tolist()
    known = [ids[row] for row in best if ids[row] in titles and titles[ids[row]].genres]
    if len(known) < 2:
        return []
    asked: dict[tuple[str, ...], None] = {}
    for _ in range(counts.pairs):
        drawn = rng.choice(len(known), 2, replace=False)
        asked.setdefault(tuple(known[place] for place in np.sort(drawn)))
    return [
        TasteQuestion(
            f"pair:{first}:{second}",
            "pair",
            facets=tuple(Facet(0.0, near_title_id=one) for one in (first, second)),
        )
        for first, second in asked
    ]


def _era_questions(
    ids: Sequence[str],
    titles: Mapping[str, Title],
    title_shares: NDArray[np.float64],
    counts: Counts,
    rng: np.random.Generator,
) -> list[TasteQuestion]:
    """Spans of years beside each other, cut at different shares of what is watched."""
    dates = [titles[title_id].release_date if title_id in titles else None for title_id in ids]
    years = np.array([date.year if date else 0 for date in dates])
    dated = years > 0
    if not dated.any():
        return []
    order = np.argsort(years[dated], kind="stable")
    ascending, mass = years[dated][order], np.cumsum(title_shares[dated][order])
    asked: dict[tuple[int, ...], None] = {}
    for _ in range(counts.eras):
        drawn = np.sort(rng.choice(_ERA_SHARES, _OPTIONS - 1, replace=False))
        ends = ascending[np.searchsorted(mass, drawn * mass[-1])]
        asked.setdefault(tuple(np.unique(ends[ends < ascending[-1]]).tolist()))
    return [
        _era_question((int(ascending[0]) - 1, *ends, int(ascending[-1])), years, title_shares)
        for ends in asked
        if ends
    ]


def _era_question(
    edges: tuple[int, ...], years: NDArray[np.int64], title_shares: NDArray[np.float64]
) -> TasteQuestion:
    facets = []
    for before, last in itertools.pairwise(edges):
        share = float(title_shares[(years > before) & (years <= last)].sum())
        facets.append(Facet(share, first_year=before + 1, last_year=last))
    name = "+".join(str(facet.last_year) for facet in facets)
    return TasteQuestion(f"era:{name}", "era", facets=tuple(facets))
