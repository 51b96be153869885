import json

import pytest

from services.recap.year.cards import cards
from services.recap.year.recap import Recap
from services.recap.year.texts import words

BASE = {
    "minutes": {"minutes.total": 400, "minutes.days": 4, "minutes.plays": 9},
    "titles": {"titles.count": 6, "titles.movies": 6, "titles.series": 0, "titles.episodes": 0},
}


@pytest.mark.parametrize(
    "stories",
    [
        [],
        {"noon": {}},
        {"minutes": []},
        {"minutes": {"minutes.total": True}},
        {"minutes": {"minutes.total": "400"}},
        {"minutes": {"minutes.seconds": 5}},
        {"minutes": {"titles.count": 5}},
        {"titles": {"titles.1": 5}},
        {"edges": {"edges.first.date": "yesterday"}},
        {"about": {"about.daypart": 5}},
    ],
)
def test_what_is_no_recap_is_refused(stories: object) -> None:
    with pytest.raises(ValueError, match="no recap"):
        Recap.of_json(json.dumps(stories))


@pytest.mark.parametrize(
    "story",
    [
        {"release": {"release.oldest": "a"}},
        {"release": {"release.newest.date": "2020-01-01"}},
        {"archetype": {"archetype.first": "night"}},
        {"archetype": {"archetype.name": "of a later release", "archetype.first": "night"}},
        {"country": {"country.genre": "drama"}},
        {"days": {"days.longest.minutes": 5}},
        {"binge": None},
    ],
)
def test_a_story_that_is_not_whole_is_no_card(story: dict[str, object]) -> None:
    recap = Recap.of_json(json.dumps({**BASE, **story}))
    told = cards(recap, {"a": "A"}, words("en"))
    assert [card.card_id for card in told if card.card_id not in BASE] == []
    assert told, "the others are told"
