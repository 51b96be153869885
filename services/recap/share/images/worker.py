"""The process that paints: `python -m services.recap.share.images.worker`.

One line of JSON asks for a picture, four bytes of length and as many of picture answer it. It ends
with its input, so it never outlives who started it.
"""

import json
import struct
import sys
from typing import BinaryIO, Final

from services.recap.share.images.picture import Format, Painter
from services.recap.share.images.rasterizer import png
from services.recap.share.shared_card import SharedCard, of_json, to_json

LENGTH: Final = struct.Struct(">I")
# Of a line: the longest texts of a card, and all of its escapes.
MOST_LINE: Final = 1 << 20


def ask(card: SharedCard, display_name: str, format: Format, *, is_png: bool) -> bytes:
    """The line that asks for a picture."""
    wanted = {
        "content": to_json((card,), display_name),
        "format": format.value,
        "is_png": is_png,
    }
    return json.dumps(wanted).encode() + b"\n"


def answer(line: bytes, painter: Painter) -> bytes:
    """The picture that a line asks for."""
    wanted = json.loads(line)
    (card,), display_name = of_json(wanted["content"])
    svg = painter.paint(card, display_name, Format(wanted["format"])).svg
    return png(svg) if wanted["is_png"] else svg.encode()


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer line after line."""
    painter = Painter()
    while line := source.readline(MOST_LINE):
        picture = answer(line, painter)
        target.write(LENGTH.pack(len(picture)))
        target.write(picture)
        target.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
