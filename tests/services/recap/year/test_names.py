from libs.domain.profile import Profile
from libs.domain.title import LicenceWindow, Title, TitleKind
from services.recap.year.names import TitleNames, is_licensed


def test_an_episode_is_for_whom_its_series_is() -> None:
    titles = {
        "s": Title("s", TitleKind.SERIES, "S", maturity_years=16),
        "e": Title("e", TitleKind.EPISODE, "E", parent_id="s"),
        "lost": Title("lost", TitleKind.EPISODE, "Lost", parent_id="gone"),
    }
    assert dict(TitleNames(titles, None)) == {"s": "S", "e": "E", "lost": "Lost"}
    named = TitleNames(titles, Profile("p", maturity_limit_years=15))
    assert (dict(named), len(named)) == ({"lost": "Lost"}, 1)


def test_a_licence_is_of_a_place_and_a_time() -> None:
    def title(*windows: LicenceWindow) -> Title:
        return Title("m", TitleKind.MOVIE, "M", licence_windows=windows)

    assert is_licensed(title(), "", 0)
    everywhere = title(LicenceWindow("", 10, 20))
    assert [is_licensed(everywhere, "PT", at_ms) for at_ms in (9, 10, 19, 20)] == [
        False, True, True, False
    ]  # fmt: skip
    there = title(LicenceWindow("PT", 10), LicenceWindow("ES", 0, 5))
    assert [is_licensed(there, country, 12) for country in ("PT", "ES", "")] == [True, False, False]
