"""Which titles a recap names: those the viewer is old enough for, and may watch again."""

from collections.abc import Iterator, Mapping
from typing import Final

from libs.domain.profile import Profile
from libs.domain.title import KIDS_MATURITY_YEARS, Title

_OLDEST: Final = 21


class TitleNames(Mapping[str, str]):
    """The names of titles by id, without a copy of the catalogue.

    Only of what `profile` is old enough for, an episode being for whom its series is; with
    `at_ms` only of what may be shown to it then.
    """

    def __init__(
        self, titles: Mapping[str, Title], profile: Profile | None, *, at_ms: int | None = None
    ) -> None:
        self._titles = titles
        self._most_years = _OLDEST if profile is None else _most_years(profile)
        self._country = "" if profile is None else profile.country
        self._at_ms = at_ms

    def __getitem__(self, title_id: str) -> str:
        title = self._titles[title_id]
        series = self._titles.get(title.parent_id)
        if max(title.maturity_years, series.maturity_years if series else 0) > self._most_years:
            raise KeyError(title_id)
        if self._at_ms is not None and not is_licensed(title, self._country, self._at_ms):
            raise KeyError(title_id)
        return title.name

    def __iter__(self) -> Iterator[str]:
        return (title_id for title_id in self._titles if title_id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_licensed(title: Title, country: str, at_ms: int) -> bool:
    """Whether it may be shown there and then; "" sees only what is licensed everywhere."""
    return not title.licence_windows or any(
        one.country in ("", country)
        and one.start_ms <= at_ms
        and (at_ms < one.end_ms or not one.end_ms)
        for one in title.licence_windows
    )


def _most_years(profile: Profile) -> int:
    limits = [KIDS_MATURITY_YEARS] if profile.kids else []
    if profile.maturity_limit_years is not None:
        limits.append(profile.maturity_limit_years)
    return min(limits, default=_OLDEST)
