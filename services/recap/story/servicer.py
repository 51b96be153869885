"""StoryService: decode the request, call the core, encode the answer."""

from typing import Any, Final, TypeAlias

import grpc.aio

from libs.domain.identifiers import check_id
from libs.serving.beat_codec import MOST_EPISODES, episode_message, episodes_beats
from libs.serving.deadlines import deadline_of
from libs.serving.decoding import page_size
from libs.serving.identity import tenant_of
from libs.telemetry.metrics import ServiceMetrics
from reprise.recap.v1 import story_pb2, story_pb2_grpc
from services.recap.story.codec import query, story_message
from services.recap.story.desk import BeatDesk
from services.recap.story.teller import StoryTeller

NAME: Final = story_pb2.DESCRIPTOR.services_by_name["StoryService"].full_name

# Of the time left, for a tenant whose catalogue is only now being fetched.
_CATALOGUE_SHARE: Final = 0.5

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class StoryServicer(story_pb2_grpc.StoryServiceServicer):
    """StoryService over the beats of all tenants."""

    def __init__(self, desk: BeatDesk, teller: StoryTeller, metrics: ServiceMetrics) -> None:
        self._desk = desk
        self._teller = teller
        self._metrics = metrics

    async def UpsertBeats(  # noqa: N802 - the names are the contract's
        self, request: story_pb2.UpsertBeatsRequest, context: Context
    ) -> story_pb2.UpsertBeatsResponse:
        """Replace the beats of whole episodes."""
        series_id = check_id("series_id", request.series_id)
        decoded = episodes_beats(request.episodes)
        changed = await self._desk.replace(
            tenant_of(context),
            series_id,
            decoded,
            within_s=deadline_of(context).share_s(_CATALOGUE_SHARE),
        )
        return story_pb2.UpsertBeatsResponse(
            beat_count=sum(len(one.beats) for one in decoded), changed_episode_count=changed
        )

    async def ListBeats(  # noqa: N802
        self, request: story_pb2.ListBeatsRequest, context: Context
    ) -> story_pb2.ListBeatsResponse:
        """One page of the beats of a series."""
        page = await self._desk.page(
            tenant_of(context),
            check_id("series_id", request.series_id),
            size=page_size(request.page_size, "page_size", default=20, most=MOST_EPISODES),
            token=request.page_token,
            within_s=deadline_of(context).share_s(_CATALOGUE_SHARE),
        )
        return story_pb2.ListBeatsResponse(
            episodes=map(episode_message, page.episodes), next_page_token=page.next_token
        )

    async def GetStoryRecap(  # noqa: N802
        self, request: story_pb2.GetStoryRecapRequest, context: Context
    ) -> story_pb2.GetStoryRecapResponse:
        """The story so far."""
        asked = query(request, tenant_of(context))
        story = await self._teller.tell(asked, deadline_of(context))
        self._metrics.count_degraded(tuple(part.name for part in story.degraded))
        return story_message(story)
