import json

import pytest

from services.recap.year.cards import cards
from services.recap.year.fact import Value
from services.recap.year.recap import Recap
from services.recap.year.texts import LANGUAGES, words

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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_viewer_hears_what_is_more_theirs_than_the_countrys(language: str) -> None:
    country: dict[str, Value] = {"country.code": "PT", "country.percentile": 66}
    genre: dict[str, Value] = {"country.genre": "noir", "country.genre.tenths": 23}
    texts = [
        card.text
        for own in (country, country | genre)
        for card in cards(Recap({**BASE, "country": own}), {}, words(language))
        if card.card_id == "country"
    ]
    assert [("66" in text, "PT" in text, "noir" in text) for text in texts] == [
        (True, True, False), (True, True, True)
    ]  # fmt: skip
    assert texts[1].startswith(texts[0])


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
