"""What a catalogue's metadata says about its titles, as columns that pools take their rows from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title, TitleKind

# Tags that answer a question carry their kind, such as "mood:dark".
TAG_KINDS: Final = ("mood", "energy", "company")
GENRE: Final = "genre"

_ROOT_KINDS: Final = (TitleKind.MOVIE, TitleKind.SERIES, TitleKind.LIVE)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Which of some labels each title carries."""

    names: tuple[str, ...]  # (l,) ascending
    carried: NDArray[np.bool_]  # (n, l)

    def take(self, rows: NDArray[np.int64]) -> "Labels":
        """The labels of those titles."""
        return Labels(self.names, self.carried[rows])


@dataclass(frozen=True, slots=True, eq=False)
class TitleTraits:
    """n titles that can be watched on their own, in the order of `titles`; made once a catalogue.

    Zero is "not known" in `release_years` and `minutes`; a series has no length of its own.
    """

    titles: tuple[Title, ...]
    row_of: Mapping[str, int]
    labels: Mapping[str, Labels]  # by kind: GENRE and TAG_KINDS
    release_years: NDArray[np.int64]  # (n,)
    minutes: NDArray[np.int64]  # (n,)
    is_series: NDArray[np.bool_]  # (n,)

    @classmethod
    def of(cls, titles: Iterable[Title]) -> "TitleTraits":
        """The columns of a catalogue, whose episodes and extras are left out."""
        roots = watchable(titles)
        tags = {kind: [_of_kind(title, kind) for title in roots] for kind in TAG_KINDS}
        return cls(
            titles=roots,
            row_of={title.title_id: row for row, title in enumerate(roots)},
            labels={
                GENRE: _labels([title.genres for title in roots]),
                **{kind: _labels(values) for kind, values in tags.items()},
            },
            release_years=np.array(
                [title.release_date.year if title.release_date else 0 for title in roots],
                dtype=np.int64,
            ),
            minutes=np.array([title.duration_ms // 60_000 for title in roots], dtype=np.int64),
            is_series=np.array([title.kind is TitleKind.SERIES for title in roots], dtype=np.bool_),
        )


def watchable(titles: Iterable[Title]) -> tuple[Title, ...]:
    """Those that can be watched on their own: neither episodes nor extras."""
    return tuple(title for title in titles if title.kind in _ROOT_KINDS)


def _of_kind(title: Title, kind: str) -> tuple[str, ...]:
    start = kind + ":"
    return tuple(tag.removeprefix(start) for tag in title.tags if tag.startswith(start))


def _labels(values: list[tuple[str, ...]]) -> Labels:
    """Labels that differ by case or blanks alone are one, and one of blanks alone is none."""
    found = sorted({name for names in values for name in names if name.strip()})
    spelt: dict[str, str] = {}
    for name in found:
        spelt.setdefault(_key(name), name.strip())
    names = tuple(sorted(spelt.values()))
    column_of = {_key(name): column for column, name in enumerate(names)}
    place = {name: column_of[_key(name)] for name in found}
    carried = np.zeros((len(values), len(names)), dtype=np.bool_)
    for row, own in enumerate(values):
        carried[row, [place[name] for name in own if name in place]] = True
    return Labels(names, carried)


def _key(name: str) -> str:
    return name.strip().casefold()
