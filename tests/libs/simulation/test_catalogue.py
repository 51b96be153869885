from collections import Counter

import numpy as np

from libs.domain.title import KIDS_MATURITY_YEARS, TitleKind
from libs.simulation.config import SimulationConfig
from libs.simulation.words import GENRES, TAGS
from libs.simulation.world import World


def test_what_can_be_recommended_comes_first_and_is_as_many_as_wanted(
    config: SimulationConfig, world: World
) -> None:
    n = config.title_count
    assert tuple(title.title_id for title in world.titles[:n]) == world.recommendable_ids
    assert {title.kind for title in world.titles[:n]} == {
        TitleKind.MOVIE,
        TitleKind.SERIES,
        TitleKind.LIVE,
    }
    assert {title.kind for title in world.titles[n:]} == {TitleKind.EPISODE, TitleKind.EXTRA}


def test_ids_and_names_are_unique(world: World) -> None:
    assert len({title.title_id for title in world.titles}) == len(world.titles)
    assert len({title.name for title in world.titles}) == len(world.titles)


def test_children_have_parents_and_their_licences(world: World) -> None:
    parents = {title.title_id: title for title in world.titles}
    for title in world.titles:
        if title.kind in (TitleKind.EPISODE, TitleKind.EXTRA):
            assert title.licence_windows == parents[title.parent_id].licence_windows
            assert title.maturity_years == parents[title.parent_id].maturity_years
        else:
            assert title.parent_id == ""


def test_every_series_has_episodes_numbered_from_one(world: World) -> None:
    for row, title_id in enumerate(world.recommendable_ids):
        episodes = [title for title in world.titles if title.parent_id == title_id]
        episodes = [title for title in episodes if title.kind is TitleKind.EPISODE]
        if world.titles[row].kind is TitleKind.SERIES:
            numbers = [(title.season_number, title.episode_number) for title in episodes]
            assert numbers == sorted(set(numbers))
            assert numbers[0] == (1, 1)
        else:
            assert not episodes


def test_synopses_tell_the_genres_and_tags(world: World) -> None:
    genres = {genre.name: genre for genre in GENRES}
    tags = {tag.name: tag for tag in TAGS}
    for title in world.titles[: len(world.recommendable_ids)]:
        assert any(hero in title.synopsis for hero in genres[title.genres[0]].heroes)
        assert title.tags
        for tag in (tag for tag in title.tags if ":" not in tag):
            assert any(phrase in title.synopsis for phrase in tags[tag].phrases)


def test_what_is_told_alike_lies_close_in_the_hidden_space(world: World) -> None:
    traits = world.catalogue.traits
    shared = (traits.tags[:, None, :, None] == traits.tags[None, :, None, :]) & (traits.tags >= 0)[
        :, None, :, None
    ]
    overlap = shared.sum(axis=(2, 3))
    cosines = traits.vectors @ traits.vectors.T
    others = ~np.eye(len(cosines), dtype=bool)

    assert cosines[others & (overlap >= 2)].mean() > cosines[others & (overlap == 0)].mean() + 0.3


def test_people_come_back_in_several_titles(world: World) -> None:
    films = Counter(
        person.name for title in world.titles if not title.parent_id for person in title.people
    )
    assert np.median(list(films.values())) >= 3


def test_there_is_enough_for_children(world: World) -> None:
    parents = [title for title in world.titles if not title.parent_id]
    assert sum(title.maturity_years <= KIDS_MATURITY_YEARS for title in parents) > 15
    assert sum(title.maturity_years >= 16 for title in parents) > 15
