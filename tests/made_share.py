"""A profile that has something to share, and the requests that share it."""

from google.protobuf.message import Message

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from libs.serving.identity import Metadata
from libs.serving.profile_codec import profile_message
from reprise.events.v1 import events_pb2, events_pb2_grpc
from reprise.recap.v1 import recap_pb2, share_pb2, share_pb2_grpc
from services.events.events_codec import event_message
from tests.made_bundle import NOW_MS
from tests.made_events import watch
from tests.made_suite import Served

SHARER = "sharer"
TIMEOUT_S = 20.0


async def made_share(
    suite: Served, *, title_id: str = "t01", metadata: Metadata = ()
) -> dict[str, Message]:
    """Have SHARER share what it has seen; a request that is answered, for every method."""
    events = events_pb2_grpc.EventsServiceStub(suite.events)
    seen = event_message(watch("shared", NOW_MS, profile_id=SHARER, title_id=title_id))
    profile = Profile(SHARER, given_consents=frozenset({Consent.SHARING}))
    await events.UpsertProfiles(
        events_pb2.UpsertProfilesRequest(profiles=[profile_message(profile)]),
        timeout=TIMEOUT_S,
        metadata=metadata,
    )
    await events.RecordEvents(
        events_pb2.RecordEventsRequest(events=[seen]), timeout=TIMEOUT_S, metadata=metadata
    )
    preview = share_pb2.PreviewShareRequest(
        profile_id=SHARER, period=recap_pb2.Period(lifetime=True), card_ids=["minutes"]
    )
    shares = share_pb2_grpc.ShareServiceStub(suite.recap)
    seen_by = await shares.PreviewShare(preview, timeout=TIMEOUT_S, metadata=metadata)
    creation = share_pb2.CreateShareRequest(
        share_id="s", preview=preview, preview_digest=seen_by.preview_digest
    )
    made = await shares.CreateShare(creation, timeout=TIMEOUT_S, metadata=metadata)
    return {
        "PreviewShare": preview,
        "CreateShare": creation,
        "GetShared": share_pb2.GetSharedRequest(
            token=made.token, image=share_pb2.IMAGE_FORMAT_SVG_LINK
        ),
        "RevokeShare": share_pb2.RevokeShareRequest(profile_id="another", share_id="s"),
    }
