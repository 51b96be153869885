import pytest
from hypothesis import given

from cli.events.event_text import cells, detail_text, duration_text, event_value
from cli.title_names import TitleNames
from libs.domain.event import Event, EventKind, Rating, Search, Thumb, ThumbDirection
from tests.made_events import START_MS, event_lists, watch


def event(kind: EventKind, detail: object = None, title_id: str = "t") -> Event:
    return Event("e", "p", kind, START_MS, title_id=title_id, detail=detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (event(EventKind.THUMB, Thumb(ThumbDirection.DOWN)), "down"),
        (event(EventKind.RATING, Rating(3.5, 5)), "3.5 of 5"),
        (event(EventKind.SEARCH, Search("noir", 3)), "“noir”, 3 found"),
        (event(EventKind.SHARE), ""),
        (watch("e", START_MS, from_ms=0, to_ms=61_000), "0:00 – 1:01"),
    ],
)
def test_a_detail_is_told_in_a_few_words(shown: Event, text: str) -> None:
    assert detail_text(shown) == text


def test_durations_read_as_a_player_shows_them() -> None:
    assert [duration_text(ms) for ms in (0, 65_000, 3_845_999)] == ["0:00", "1:05", "1:04:05"]


def test_what_a_client_sent_is_never_markup() -> None:
    searched = event(EventKind.SEARCH, Search("[bold red]x[/]", 1), title_id="")
    assert "\\[bold red]" in " ".join(cells(searched, TitleNames(), with_profile=True))


@given(event_lists(most=8))
def test_every_event_has_a_row_and_a_value(some: list[Event]) -> None:
    for one in some:
        assert len(cells(one, TitleNames(), with_profile=True)) == 6
        assert event_value(one, TitleNames())["event_id"] == one.event_id


def test_a_title_that_the_catalogue_does_not_know_is_flagged_where_it_was_asked() -> None:
    shown = event(EventKind.SHARE, title_id="t404")
    assert "t404" in cells(shown, TitleNames(), with_profile=False)
    asked = TitleNames({"t1": "One"}, is_whole=True)
    assert "t404 (unknown title)" in cells(shown, asked, with_profile=False)
    assert event_value(shown, asked)["is_unknown_title"]
    assert "One" in cells(event(EventKind.SHARE, title_id="t1"), asked, with_profile=False)
