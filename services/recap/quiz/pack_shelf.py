"""The packs that are there: those that come with Reprise, and those of a folder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from libs.domain.title import Title
from libs.faults import InvalidField, NotFound
from services.recap.quiz.pack import Pack, PackRejected, parse


@dataclass(frozen=True, slots=True)
class PackShelf:
    """Packs by id, and what is wrong with the others, by id or by file."""

    packs: Mapping[str, Pack]
    problems: Mapping[str, str]

    def pack(self, pack_id: str) -> Pack:
        """A pack that can be played.

        Raises InvalidField, with the place in the file, for one that cannot, and NotFound.
        """
        if pack_id in self.problems:
            raise InvalidField("pack_id", self.problems[pack_id])
        if pack_id not in self.packs:
            raise NotFound("pack", pack_id)
        return self.packs[pack_id]

    def over(self, titles: Sequence[Title]) -> "PackShelf":
        """Those that a catalogue can play."""
        good, problems = {}, dict(self.problems)
        for pack_id, pack in self.packs.items():
            try:
                pack.check(titles)
            except PackRejected as rejected:
                problems[pack_id] = str(rejected)
            else:
                good[pack_id] = pack
        return PackShelf(good, problems)


NO_PACKS = PackShelf({}, {})


def texts(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and text of the packs that come with Reprise, then of those in `folder`."""
    own = files("services.recap.quiz").joinpath("packs")
    shipped = [(one.name, one.read_text("utf-8")) for one in own.iterdir()]
    given = [(one.name, one.read_text("utf-8", "replace")) for one in folder.glob("*.toml")]
    return (*sorted(one for one in shipped if one[0].endswith(".toml")), *sorted(given))


def shelf(found: Iterable[tuple[str, str]]) -> PackShelf:
    """The packs of texts; a later one of the same id takes the place of an earlier one."""
    packs: dict[str, Pack] = {}
    problems: dict[str, str] = {}
    for name, text in found:
        try:
            pack = parse(text, name)
        except PackRejected as rejected:
            problems[name.removesuffix(".toml")] = str(rejected)
        else:
            packs[pack.pack_id] = pack
    return PackShelf(packs, problems)
