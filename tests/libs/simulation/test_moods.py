import numpy as np

from libs.simulation.moods import ATTRIBUTES, COMPANIES, MOODS
from libs.simulation.world import World


def test_every_title_has_a_mood_one_energy_and_a_company(world: World) -> None:
    for title in world.titles[: len(world.recommendable_ids)]:
        kinds = [tag.partition(":")[0] for tag in title.tags if ":" in tag]
        assert kinds.count("mood") in (1, 2)
        assert kinds.count("energy") == 1
        assert kinds.count("company") in (1, 2)
        assert {tag for tag in title.tags if ":" in tag} <= set(ATTRIBUTES)


def test_every_attribute_tags_a_fair_share_of_the_titles(world: World) -> None:
    titles = world.titles[: len(world.recommendable_ids)]
    for attribute in ATTRIBUTES:
        share = np.mean([attribute in title.tags for title in titles])
        assert 0.08 < share < 0.5, attribute


def test_tags_mostly_but_not_always_tell_the_truth(world: World) -> None:
    scores = world.catalogue.moods.scores[:, : len(MOODS)]
    tags = world.catalogue.moods.tags
    right = np.mean([MOODS[int(np.argmax(row))] in tags[n] for n, row in enumerate(scores)])

    assert 0.7 < right < 0.99


def test_what_feels_alike_lies_close_in_the_hidden_space(world: World) -> None:
    vectors = world.catalogue.traits.vectors
    cosines = vectors @ vectors.T
    others = ~np.eye(len(cosines), dtype=bool)
    for attribute in (*MOODS, *COMPANIES):
        has = np.array([attribute in tags for tags in world.catalogue.moods.tags])
        alike = cosines[np.outer(has, has) & others].mean()
        assert alike > cosines[np.outer(has, ~has)].mean() + 0.05, attribute


def test_nothing_for_adults_is_for_the_family(world: World) -> None:
    tagged = [
        title
        for title in world.titles[: len(world.recommendable_ids)]
        if "company:family" in title.tags
    ]
    assert tagged
    assert np.mean([title.maturity_years >= 16 for title in tagged]) < 0.05
