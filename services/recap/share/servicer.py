"""ShareService: decode, call, encode."""

from collections.abc import Callable
from typing import Any, Final

import grpc.aio

from libs.domain.identifiers import check_id
from libs.serving.deadlines import deadline_of
from libs.serving.decoding import timestamp
from libs.serving.identity import tenant_of
from reprise.recap.v1 import share_pb2, share_pb2_grpc
from services.recap.share import codec
from services.recap.share.ports import Pictures
from services.recap.share.sharing import Sharing

NAME: Final = share_pb2.DESCRIPTOR.services_by_name["ShareService"].full_name

Context = grpc.aio.ServicerContext[Any, Any]


class ShareServicer(share_pb2_grpc.ShareServiceServicer):
    """Shares made, shown and ended; `clock` gives Unix ms."""

    def __init__(self, sharing: Sharing, pictures: Pictures, clock: Callable[[], int]) -> None:
        self._sharing = sharing
        self._pictures = pictures
        self._clock = clock

    async def PreviewShare(  # noqa: N802 - the names are the contract's
        self, request: share_pb2.PreviewShareRequest, context: Context
    ) -> share_pb2.PreviewShareResponse:
        """What would leave."""
        query = codec.query(request, tenant_of(context), now_ms=self._clock())
        made, digest = await self._sharing.preview(query, deadline_of(context).remaining_s)
        return codec.preview_message(made, digest, query.display_name)

    async def CreateShare(  # noqa: N802
        self, request: share_pb2.CreateShareRequest, context: Context
    ) -> share_pb2.CreateShareResponse:
        """The token of what was previewed."""
        creation = codec.creation(request, tenant_of(context), now_ms=self._clock())
        token, expires_ms = await self._sharing.create(*creation, deadline_of(context).remaining_s)
        return share_pb2.CreateShareResponse(token=token, expires_at=timestamp(expires_ms))

    async def GetShared(  # noqa: N802
        self, request: share_pb2.GetSharedRequest, context: Context
    ) -> share_pb2.GetSharedResponse:
        """What a token stands for, and a picture of one card of it."""
        image = codec.image(request)
        remaining_s = deadline_of(context).remaining_s
        shared = await self._sharing.get(
            tenant_of(context), request.token, self._clock(), remaining_s
        )
        if image is None:
            return codec.shared_message(shared, b"", "")
        wanted, media_type = image
        picture = await self._pictures.picture(
            codec.card_of(shared, request.card_id),
            shared.display_name,
            wanted,
            is_png=media_type == codec.PNG,
        )
        return codec.shared_message(shared, picture, media_type)

    async def RevokeShare(  # noqa: N802
        self, request: share_pb2.RevokeShareRequest, context: Context
    ) -> share_pb2.RevokeShareResponse:
        """End one share, or all of a profile."""
        profile_id = check_id("profile_id", request.profile_id)
        share_id = check_id("share_id", request.share_id) if request.share_id else ""
        count = await self._sharing.revoke(tenant_of(context), profile_id, share_id, self._clock())
        return share_pb2.RevokeShareResponse(revoked_count=count)
