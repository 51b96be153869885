"""The packs that are there: those that come with Reprise, and those of a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from libs.domain.title import Title
from libs.faults import InvalidField, NotFound
from services.recap.quiz.pack import Pack, PackRejected, parse

# The name and the text of each pack; None is the text of one that cannot be read.
PackTexts: TypeAlias = tuple[tuple[str, str | None], ...]


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


def texts(folder: Path) -> PackTexts:
    """Name and text of the packs that come with Reprise, then of those in `folder`.

    None is the text of one that cannot be read: it may have been removed this moment.
    """
    own = files("services.recap.quiz").joinpath("packs")
    shipped = [one for one in own.iterdir() if one.name.endswith(".toml")]
    shipped.sort(key=lambda one: one.name)
    return (
        *((one.name, one.read_text("utf-8")) for one in shipped),
        *((one.name, _text(one)) for one in sorted(folder.glob("*.toml"))),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def shelf(found: PackTexts) -> PackShelf:
    """The packs of texts; a later one of the same id takes the place of an earlier one."""
    packs: dict[str, Pack] = {}
    problems: dict[str, str] = {}
    for name, text in found:
        try:
            if text is None:
                raise PackRejected(f"{name}: cannot be read")
            pack = parse(text, name)
        except PackRejected as rejected:
            problems[name.removesuffix(".toml")] = str(rejected)
        else:
            packs[pack.pack_id] = pack
    return PackShelf(packs, problems)
