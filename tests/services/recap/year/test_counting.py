import datetime as dt

import pytest

from libs.domain.event import (
    DAY_MS,
    Event,
    EventKind,
    Rating,
    Thumb,
    ThumbDirection,
    WatchedInterval,
)
from libs.domain.title import Title, TitleKind
from services.recap.year.cards import cards
from services.recap.year.fact import Level, Problem
from services.recap.year.period import Period
from services.recap.year.texts import LANGUAGES, words
from tests.made_recaps import play
from tests.services.recap.year.made_counts import counted, facts_of, movie, recap_of, series

NOON_MS = 19_800 * DAY_MS + 12 * 3_600_000  # 2024-03-18
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def test_nothing_played_is_no_recap() -> None:
    recap = recap_of([], [movie("m")])
    assert recap.level() == (Level.NONE, Problem.NO_PLAYS)
    assert cards(recap, {}, words("en")) == ()


def test_one_play_is_a_small_recap() -> None:
    recap = recap_of(play("e", NOON_MS, "m", 0), [movie("m")])
    assert recap.level() == (Level.LITE, None)
    assert facts_of(recap)["minutes.plays"] == 1
    assert [card.card_id for card in cards(recap, {"m": "M"}, words("en"))] == ["minutes", "edges"]


def test_a_deleted_title_counts_and_is_never_named() -> None:
    recap = recap_of(play("e", NOON_MS, "gone", 30), [movie("m")])
    found = facts_of(recap)
    assert (found["minutes.total"], found["titles.count"]) == (30, 1)
    assert "gone" not in found.values()


def test_a_title_without_genres_is_of_no_genre() -> None:
    found = facts_of(recap_of(play("e", NOON_MS, "m", 30), [movie("m", genres=())]))
    assert found["titles.1"] == "m"
    assert "genres.count" not in found


def test_what_was_jumped_over_was_not_watched() -> None:
    seek = Event(
        "s", "p", EventKind.SEEK, NOON_MS, title_id="m",
        detail=WatchedInterval(0, 60 * MINUTE_MS, 120 * MINUTE_MS),
    )  # fmt: skip
    found = facts_of(recap_of([seek, *play("e", NOON_MS, "m", 30)], [movie("m")]))
    assert found["minutes.total"] == 30


def test_a_binge_ends_with_a_longer_pause_or_another_title() -> None:
    titles = [*series("s", 8), movie("m")]
    at_ms, events = NOON_MS, []
    for number in (1, 2, 3):
        events += play(f"a{number}", at_ms, f"se{number}", 40)
        at_ms += 70 * MINUTE_MS  # 30 minutes after the end: just still the same binge
    events += play("m", at_ms, "m", 90)
    at_ms += 91 * MINUTE_MS
    for number in (4, 5, 6):
        events += play(f"b{number}", at_ms, f"se{number}", 39)
        at_ms += 70 * MINUTE_MS + 1
    found = facts_of(recap_of(events, titles))
    assert (found["binge.title"], found["binge.minutes"], found["binge.episodes"]) == ("s", 120, 3)


def test_a_person_of_two_roles_is_counted_once() -> None:
    found = facts_of(recap_of(play("e", NOON_MS, "se1", 30), series("s", 1)))
    assert (found["people.1"], found["people.1.minutes"], found["people.2"]) == ("A", 30, "B")


def test_equal_amounts_are_told_by_id() -> None:
    events = [*play("a", NOON_MS, "y", 30), *play("b", NOON_MS + HOUR_MS, "x", 30)]
    found = facts_of(recap_of(events, [movie("x"), movie("y")]))
    assert (found["titles.1"], found["titles.2"]) == ("x", "y")


def test_a_genre_watched_before_the_period_is_no_discovery() -> None:
    titles = [movie("old", genres=("drama",)), movie("new", genres=("drama", "noir"))]
    events = [
        *play("a", NOON_MS - 400 * DAY_MS, "old", 30),
        *play("b", NOON_MS, "new", 30),
    ]
    found = facts_of(recap_of(events, titles, Period.of_year(2024)))
    assert (found["discoveries.count"], found["discoveries.1"]) == (1, "noir")
    alone = facts_of(recap_of(events[2:], titles, Period.of_year(2024)))
    assert "discoveries.count" not in alone, "all is new to who is new"


def test_a_lifetime_has_no_discoveries_though_a_clock_was_never_set() -> None:
    # 1970-01-01T00:00Z is the last of December in New York.
    titles = [movie("old", genres=("drama",)), movie("new", genres=("noir",))]
    events = [
        *play("a", 0, "old", 30, time_zone="America/New_York"),
        *play("b", NOON_MS, "new", 30, time_zone="America/New_York"),
    ]
    assert "discoveries.count" not in facts_of(recap_of(events, titles))


def _opinion(detail: Thumb | Rating, at_ms: int = NOON_MS + HOUR_MS) -> Event:
    kind = EventKind.THUMB if isinstance(detail, Thumb) else EventKind.RATING
    return Event(f"o{at_ms}", "p", kind, at_ms, title_id="m", detail=detail)


@pytest.mark.parametrize(
    ("opinions", "is_told"),
    [
        ([], False),
        ([_opinion(Thumb(ThumbDirection.UP))], True),
        ([_opinion(Thumb(ThumbDirection.UP)),
          _opinion(Thumb(ThumbDirection.DOWN), NOON_MS + 2 * HOUR_MS)], False),
        ([_opinion(Rating(4, 5))], True),
        ([_opinion(Rating(3.9, 5))], False),
    ],
)  # fmt: skip
def test_a_throwback_was_loved(opinions: list[Event], is_told: bool) -> None:
    events = [*play("e", NOON_MS, "m", 30), *opinions]
    cutoff_ms = NOON_MS + 30 * MINUTE_MS + 180 * DAY_MS
    found = facts_of(recap_of(events, [movie("m")], cutoff_ms=cutoff_ms))
    assert ("throwbacks.1" in found) == is_told
    early = facts_of(recap_of(events, [movie("m")], cutoff_ms=cutoff_ms - 1))
    assert "throwbacks.1" not in early


def test_what_was_recorded_after_the_cutoff_is_not_counted() -> None:
    events = play("e", NOON_MS, "m", 30)
    found = recap_of(events, [movie("m")], cutoff_ms=NOON_MS + 29 * MINUTE_MS)
    assert facts_of(found)["minutes.total"] == 0


def test_ten_years_are_told() -> None:
    events = [
        event
        for day in range(0, 3650, 2)
        for event in play(f"e{day}", NOON_MS - day * DAY_MS, f"m{day % 7}", 90)
    ]
    recap = recap_of(events, [movie(f"m{place}") for place in range(7)])
    assert recap.level() == (Level.FULL, None)
    assert facts_of(recap)["minutes.days"] == 1825


@pytest.mark.parametrize("language", [*LANGUAGES, "xx", "ar-EG", ""])
def test_names_of_any_script_and_length_are_as_the_catalogue_has_them(language: str) -> None:
    names = ("ليالي الحلمية", "ความสุขของกะทิ", "🎬🍿", "n" * 300, "A {minutes.total} \\1")
    titles = [movie(f"m{place}", name=name) for place, name in enumerate(names)]
    titles += series("s", 4)
    events = [
        event
        for day in range(4)
        for place in range(len(names))
        for event in play(
            f"e{day}-{place}", NOON_MS + day * DAY_MS + place * HOUR_MS, f"m{place}", 40
        )
    ]
    for number in (1, 2, 3, 4):
        events += play(f"s{number}", NOON_MS + 9 * DAY_MS + number * HOUR_MS, f"se{number}", 50)
    recap = recap_of(events, titles)
    told = cards(recap, {title.title_id: title.name for title in titles}, words(language))
    by_id = {card.card_id: card for card in told}
    assert {"minutes", "titles", "genres", "series", "binge", "days"} <= by_id.keys()
    text = by_id["titles"].text
    assert sum(name in text for name in names) == 4, "the five most watched, one is the series"
    assert all(card.headline and card.text for card in told)


def test_a_catalogue_that_lost_a_title_since_tells_nothing_of_it() -> None:
    recap = recap_of(
        [e for d in range(6) for e in play(f"e{d}", NOON_MS + d * DAY_MS, f"m{d}", 90)],
        [movie(f"m{place}") for place in range(6)],
    )
    told = cards(recap, {"m1": "One"}, words("en"))
    assert {title_id for card in told for title_id in card.title_ids} == {"m1"}
    assert "edges" not in {card.card_id for card in told}


def test_every_number_in_a_text_is_a_fact() -> None:
    recap = recap_of(
        [e for d in range(6) for e in play(f"e{d}", NOON_MS + d * DAY_MS, f"m{d}", 90)],
        [
            Title(
                f"m{place}", TitleKind.MOVIE, f"Movie {'abcdef'[place]}",
                release_date=dt.date(2000 + place, 1, 1),
            )
            for place in range(6)
        ],
    )  # fmt: skip
    names = {f"m{place}": f"Movie {'abcdef'[place]}" for place in range(6)}
    for card in cards(recap, names, words("en")):
        values = {str(fact.value) for fact in card.facts} | {"22:00", "5:00"}
        text = f"{card.headline}\n{card.text}"
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, "")
        assert not any(character.isdigit() for character in text), (card.card_id, text)


def test_stories_agree_where_nothing_is_there_to_tell() -> None:
    stories = counted([], [])
    assert all(story.facts.is_empty() and not story.disagreeing for story in stories.values())


def test_every_fact_is_of_the_story_that_its_id_names() -> None:
    events = [e for d in range(6) for e in play(f"e{d}", NOON_MS + d * DAY_MS, f"m{d}", 90)]
    for story, found in counted(events, [movie(f"m{place}") for place in range(6)]).items():
        assert {str(fact_id).partition(".")[0] for fact_id in found.facts["fact_id"]} <= {story}
