"""Images written by the command line."""

from pathlib import Path

from cli.share import paint
from reprise.recap.v1 import share_pb2
from services.recap.share import codec
from tests.services.recap.share.images.made_cards import CARDS


def test_every_card_is_written_in_both_sizes_as_svg_and_png(tmp_path: Path) -> None:
    cards = [codec.card_message(card) for card in CARDS[:2]]
    made = share_pb2.PreviewShareResponse(cards=cards, display_name="Maren")
    written = paint(made, tmp_path / "new" / "folder")
    names = [
        f"{card}-{size}.{kind}"
        for card in ("minutes", "titles")
        for size in ("story", "link")
        for kind in ("svg", "png")
    ]
    assert [path.name for path in written] == names
    for path in written:
        start = path.read_bytes()[:4]
        assert start == (b"<svg" if path.suffix == ".svg" else b"\x89PNG")


def test_a_card_is_read_back_as_it_was_sent() -> None:
    assert [codec.card(codec.card_message(card)) for card in CARDS] == list(CARDS)
