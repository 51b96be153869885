"""Share images of cards: what `reprise recap --out DIR` and `reprise quiz --out DIR` write."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.calling import open_channel
from cli.console import Output
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from reprise.recap.v1 import recap_pb2, share_pb2, share_pb2_grpc
from services.recap.share import codec
from services.recap.share.images.picture import Format, Painter
from services.recap.share.images.rasterizer import png

CALL_S: Final = 20.0
_MOST_CARDS: Final = 20
QUIZ_CARDS: Final = ("outcome", "tonight")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where images go, and what is on them."""

    out: Path
    display_name: str = ""
    hidden_title_ids: tuple[str, ...] = ()


def write_recap_images(
    settings: SuiteSettings,
    asked: recap_pb2.GetRecapRequest,
    answer: recap_pb2.GetRecapResponse,
    wanted: Wanted,
    output: Output,
) -> list[Path]:
    """Write each card of a recap that may leave; as `_write` says."""
    card_ids = [card.card_id for card in answer.cards if card.is_shareable][:_MOST_CARDS]
    if not card_ids:
        output.say("[yellow]No card of this recap may leave.[/]")
        return []
    request = share_pb2.PreviewShareRequest(
        profile_id=asked.profile_id,
        period=asked.period,
        person_id=asked.person_id,
        language=asked.language,
        card_ids=card_ids,
    )
    return _write(settings, request, wanted, output)


def write_quiz_images(
    settings: SuiteSettings, profile_id: str, quiz_id: str, wanted: Wanted, output: Output
) -> list[Path]:
    """Write the cards of a curated quiz that a profile has ended; as `_write` says."""
    request = share_pb2.PreviewShareRequest(
        profile_id=profile_id, quiz_id=quiz_id, card_ids=QUIZ_CARDS
    )
    return _write(settings, request, wanted, output)


def _write(
    settings: SuiteSettings,
    request: share_pb2.PreviewShareRequest,
    wanted: Wanted,
    output: Output,
) -> list[Path]:
    """Write each card that may leave as SVG and PNG, for a story and for a link.

    They show what PreviewShare would let leave, and nothing is shared by it. Raises StartFault
    when the folder cannot be written.
    """
    request.hidden_title_ids.extend(wanted.hidden_title_ids)
    request.display_name = wanted.display_name
    with open_channel(settings, "recap") as channel:
        made = share_pb2_grpc.ShareServiceStub(channel).PreviewShare(request, timeout=CALL_S)
    try:
        written = paint(made, wanted.out)
    except OSError as error:
        raise StartFault(f"cannot write {wanted.out}: {error.strerror}") from None
    omitted = ", ".join(made.omitted_card_ids)
    output.say(
        f"{len(written)} images in {wanted.out}"
        + (f" [dim](nothing may leave of: {omitted})[/]" if omitted else "")
    )
    return written


def paint(made: share_pb2.PreviewShareResponse, out: Path) -> list[Path]:
    """Paint all cards into a folder, which is made; the paths, in order."""
    out.mkdir(parents=True, exist_ok=True)
    painter, written = Painter(), []
    for message in made.cards:
        for one in Format:
            svg = painter.paint(codec.card(message), made.display_name, one).svg
            path = out / f"{message.card_id}-{one.name.lower()}.svg"
            path.write_text(svg, encoding="utf-8")
            path.with_suffix(".png").write_bytes(png(svg))
            written += [path, path.with_suffix(".png")]
    return written
