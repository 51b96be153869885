"""JSON templates: text with placeholders such as {{.RequestNumber}}, as ghz writes them."""

import datetime as dt
import random
import re
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.faults import StartFault

_PLACEHOLDER: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Moment:
    """What a placeholder may depend on: which request it is, when, and its own randomness."""

    number: int
    now: dt.datetime
    rng: random.Random


_Fill = Callable[[Moment], str]


@dataclass(frozen=True, slots=True)
class Template:
    """Text with what fills its gaps: `parts` has one more entry than `fills`."""

    parts: tuple[str, ...]
    fills: tuple[_Fill, ...]

    @property
    def is_constant(self) -> bool:
        """Whether every request of it is the same."""
        return not self.fills

    def render(self, moment: Moment) -> str:
        """The text of one request."""
        texts = [self.parts[0]]
        for fill, part in zip(self.fills, self.parts[1:], strict=True):
            texts.append(fill(moment))
            texts.append(part)
        return "".join(texts)


def parse_template(text: str) -> Template:
    """The template of a text; raises StartFault for a placeholder that does not exist."""
    pieces = _PLACEHOLDER.split(text)
    return Template(tuple(pieces[::2]), tuple(_fill(piece) for piece in pieces[1::2]))


def _fill(expression: str) -> _Fill:
    name, *arguments = expression.split() or [""]
    if name in _VALUES and not arguments:
        return _VALUES[name]
    try:
        numbers = [int(argument) for argument in arguments]
    except ValueError:
        numbers = [-1]
    match name, numbers:
        case "randomInt", []:
            return lambda moment: str(moment.rng.randrange(2**31))
        case "randomInt", [low, high] if low < high:
            return lambda moment: str(moment.rng.randrange(low, high))
        case "randomString", [length] if 0 < length <= 65_536:
            return lambda moment: "".join(moment.rng.choices(_LETTERS, k=length))
    known = ", ".join([*_VALUES, "randomInt [LOW HIGH]", "randomString LENGTH"])
    raise StartFault(f"no placeholder {{{{{expression}}}}}; there are: {known}")


def _new_uuid(moment: Moment) -> str:
    # Never repeated, also not by the next run with the same seed: it names things for good.
    return str(uuid.uuid4())


_VALUES: Final[Mapping[str, _Fill]] = {
    ".RequestNumber": lambda moment: str(moment.number),
    ".Timestamp": lambda moment: moment.now.isoformat(),
    ".TimestampUnix": lambda moment: str(int(moment.now.timestamp())),
    ".TimestampUnixMilli": lambda moment: str(int(moment.now.timestamp() * 1000)),
    ".UUID": _new_uuid,
    "newUUID": _new_uuid,
    "uuid": _new_uuid,
}
