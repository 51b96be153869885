"""Between the messages of ShareService and the core's values."""

from typing import Final

from libs.domain.identifiers import check_id, check_text
from libs.faults import BatchTooLarge, InvalidField
from libs.serving.decoding import time_ms, timestamp
from reprise.recap.v1 import recap_pb2, share_pb2
from services.recap.share.images.picture import Format
from services.recap.share.rendering import Preview
from services.recap.share.shared_card import CardKind, SharedCard
from services.recap.share.sharing import QuizQuery, Shared, ShareQuery
from services.recap.year import codec as recap_codec
from services.recap.year.recaps import RecapQuery

_MOST_CARDS: Final = 20
_MOST_HIDDEN: Final = 1_000
_MOST_NAME: Final = 300
PNG: Final = "image/png"
SVG: Final = "image/svg+xml"

_FORMATS: Final = {
    share_pb2.IMAGE_FORMAT_SVG_STORY: (Format.STORY, SVG),
    share_pb2.IMAGE_FORMAT_PNG_STORY: (Format.STORY, PNG),
    share_pb2.IMAGE_FORMAT_SVG_LINK: (Format.LINK, SVG),
    share_pb2.IMAGE_FORMAT_PNG_LINK: (Format.LINK, PNG),
}


def query(request: share_pb2.PreviewShareRequest, tenant: str, *, now_ms: int) -> ShareQuery:
    """The question; raises InvalidField or BatchTooLarge."""
    asked = _source(request, tenant, now_ms=now_ms)
    # Counted before any is looked at: a call may carry a million.
    is_countable = 1 <= len(request.card_ids) <= _MOST_CARDS
    if not is_countable or len(set(request.card_ids)) < len(request.card_ids):
        raise InvalidField("card_ids", f"must be 1 to {_MOST_CARDS}, none of them twice")
    card_ids = tuple(check_id("card_ids", card_id) for card_id in request.card_ids)
    if len(request.hidden_title_ids) > _MOST_HIDDEN:
        given = len(request.hidden_title_ids)
        raise BatchTooLarge("hidden_title_ids", most=_MOST_HIDDEN, given=given)
    hidden = frozenset(check_id("hidden_title_ids", one) for one in request.hidden_title_ids)
    name = check_text("display_name", request.display_name, _MOST_NAME)
    return ShareQuery(asked, card_ids, hidden, " ".join(name.split()))


def _source(
    request: share_pb2.PreviewShareRequest, tenant: str, *, now_ms: int
) -> RecapQuery | QuizQuery:
    if request.WhichOneof("source") == "quiz_id":
        if not request.profile_id:
            problem = "must be named: of a quiz that is nobody's nothing is kept to be shared"
            raise InvalidField("profile_id", problem)
        return QuizQuery(
            tenant,
            check_id("profile_id", request.profile_id),
            check_id("quiz_id", request.quiz_id),
            now_ms,
        )
    recap = recap_pb2.GetRecapRequest(
        profile_id=request.profile_id,
        period=request.period,
        person_id=request.person_id,
        language=request.language,
    )
    return recap_codec.query(recap, tenant, now_ms=now_ms)


def creation(
    request: share_pb2.CreateShareRequest, tenant: str, *, now_ms: int
) -> tuple[ShareQuery, str, str, int | None]:
    """The query, share_id, digest and the time to end at; raises InvalidField."""
    try:
        asked = query(request.preview, tenant, now_ms=now_ms)
    except InvalidField as fault:
        raise fault.within("preview") from None
    expires_ms = None
    if request.HasField("expires_at"):
        expires_ms = time_ms(request.expires_at, "expires_at")
    digest = check_id("preview_digest", request.preview_digest)
    return asked, check_id("share_id", request.share_id), digest, expires_ms


def image(request: share_pb2.GetSharedRequest) -> tuple[Format, str] | None:
    """Format and media type of the picture; None when none is wanted; raises InvalidField."""
    if request.card_id:
        check_id("card_id", request.card_id)
    if request.image == share_pb2.IMAGE_FORMAT_UNSPECIFIED:
        return None
    if request.image not in _FORMATS:
        raise InvalidField("image", f"has no value {request.image}")
    return _FORMATS[request.image]


def card_of(shared: Shared, card_id: str) -> SharedCard:
    """The card of the picture, the first for ""; raises InvalidField for one not shared."""
    for card in shared.cards:
        if card_id in ("", card.card_id):
            return card
    raise InvalidField("card_id", "must be one of the cards that were shared")


def preview_message(
    made: Preview, digest: str, display_name: str
) -> share_pb2.PreviewShareResponse:
    """The message of a preview."""
    return share_pb2.PreviewShareResponse(
        cards=[card_message(card) for card in made.cards],
        omitted_card_ids=made.omitted_card_ids,
        preview_digest=digest,
        display_name=display_name,
    )


def shared_message(shared: Shared, picture: bytes, media_type: str) -> share_pb2.GetSharedResponse:
    """The message of what a token stands for."""
    return share_pb2.GetSharedResponse(
        cards=[card_message(card) for card in shared.cards],
        display_name=shared.display_name,
        image=picture,
        image_media_type=media_type,
        expires_at=timestamp(shared.expires_ms),
    )


def card_message(card: SharedCard) -> share_pb2.SharedCard:
    """The message of a card."""
    return share_pb2.SharedCard(
        card_id=card.card_id,
        headline=card.headline,
        text=card.text,
        names=card.names,
        kind=share_pb2.SharedCardKind.ValueType(card.kind),
        figure=card.figure,
        language=card.language,
    )


def card(message: share_pb2.SharedCard) -> SharedCard:
    """The card of a message, for who paints it elsewhere."""
    return SharedCard(
        card_id=message.card_id,
        kind=CardKind(message.kind),
        language=message.language,
        headline=message.headline,
        figure=message.figure,
        text=message.text,
        names=tuple(message.names),
    )
