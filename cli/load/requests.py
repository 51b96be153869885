"""The requests of a run: rows of JSON templates, encoded before the run where they can be."""

import datetime as dt
import json
import random
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message

from cli.load.method import Method
from cli.load.template import Moment, Template, parse_template
from libs.faults import StartFault

# The messages of one call, as JSON templates; a unary method takes one.
Row: TypeAlias = tuple[str, ...]
# What one call sends, encoded; one message unless the client streams.
Encoded: TypeAlias = tuple[bytes, ...]

# Requests that differ from call to call are encoded ahead up to this many; what
# comes later is encoded on the way and shows in the generator's idle share.
MOST_AHEAD: Final = 100_000


def parse_rows(text: str, method: Method) -> tuple[Row, ...]:
    """The rows of a JSON value, a JSON array, JSON lines or one JSON template.

    Rows are used one after another and again from the first. Where the client streams, a row
    that is an array is one stream; an array of objects is one stream as a whole.
    Raises StartFault where no request can be made of it.
    """
    items = _items(text)
    if not items:
        raise StartFault("there is no request in the data")
    if not method.is_client_streaming:
        return tuple((item,) for item in items)
    if all(_is_array(item) for item in items):
        return tuple(tuple(_dump(one) for one in json.loads(item)) for item in items)
    return (tuple(items),)


def check_rows(method: Method, rows: Sequence[Row], *, seed: int) -> None:
    """Encode every row once; raises StartFault naming the first that is no request."""
    Requests(method, rows, seed=seed).encode_ahead(range(len(rows)))


def _items(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except ValueError:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        is_lines = all(line[0] + line[-1] in ("{}", "[]") for line in lines)
        return lines if is_lines else [text]
    return [_dump(item) for item in value] if isinstance(value, list) else [text]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_array(item: str) -> bool:
    return item.startswith("[") and item.endswith("]")


class Requests:
    """Encodes requests by their numbers; the same seed and number give the same random values."""

    def __init__(self, method: Method, rows: Sequence[Row], *, seed: int) -> None:
        self._class = method.request_class()
        self._rows = [tuple(parse_template(text) for text in row) for row in rows]
        self._seed = seed
        # By row where every request of it is the same, by number where not.
        self._constant: dict[int, Encoded] = {}
        self._ahead: dict[int, Encoded] = {}

    def encode_ahead(self, numbers: Iterable[int]) -> None:
        """Encode these requests now, at most MOST_AHEAD of those that differ."""
        for number in numbers:
            if len(self._ahead) >= MOST_AHEAD:
                return
            encoded = self.encode(number)
            if not self._is_constant(number % len(self._rows)):
                self._ahead[number] = encoded

    def encode_constant(self) -> None:
        """Encode now what is the same in all its requests."""
        for row in range(len(self._rows)):
            if self._is_constant(row):
                self.encode(row)

    @property
    def are_constant(self) -> bool:
        """Whether every request is the same as all of its row."""
        return all(self._is_constant(row) for row in range(len(self._rows)))

    def encode(self, number: int) -> Encoded:
        """The messages of one request; raises StartFault when they are none of the method's."""
        row = number % len(self._rows)
        known = self._constant.get(row) or self._ahead.pop(number, None)
        if known is not None:
            return known
        moment = Moment(
            number,
            dt.datetime.now(dt.UTC),
            random.Random(f"{self._seed}-{number}"),  # noqa: S311
        )
        encoded = tuple(self._encoded(template, moment, row) for template in self._rows[row])
        if self._is_constant(row):
            self._constant[row] = encoded
        return encoded

    def _is_constant(self, row: int) -> bool:
        return all(template.is_constant for template in self._rows[row])

    def _encoded(self, template: Template, moment: Moment, row: int) -> bytes:
        message: Message = self._class()
        try:
            json_format.Parse(template.render(moment), message)
        except json_format.ParseError as error:
            name = message.DESCRIPTOR.full_name
            cause = " ".join(str(error).split())
            raise StartFault(f"row {row + 1} of the data is no {name}: {cause}") from None
        return message.SerializeToString()
