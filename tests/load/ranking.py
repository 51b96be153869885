"""Viewers who open the home page on their devices."""

from collections.abc import Sequence
from itertools import cycle
from typing import Final

from libs.simulation.world import World
from reprise.common.v1 import viewing_pb2
from reprise.ranking.v1 import ranking_pb2
from tests.load.shot import SECONDS, Shot, request

RECOMMEND: Final = "reprise.ranking.v1.RankingService/Recommend"
DEVICES: Final = (viewing_pb2.DEVICE_TV, viewing_pb2.DEVICE_PHONE, viewing_pb2.DEVICE_TABLET)


def shots(world: World) -> Sequence[Shot]:
    """One viewer at a time, a crowd, and arrivals by the clock."""
    requests = [
        request(
            ranking_pb2.RecommendRequest(
                profile_id=profile.profile_id,
                limit=20,
                context=viewing_pb2.ViewingContext(
                    device=device,
                    country=profile.country,
                    time_zone=profile.time_zone,
                    surface=viewing_pb2.SURFACE_HOME,
                ),
            )
        )
        for profile, device in zip(world.profiles, cycle(DEVICES), strict=False)
    ]
    return (
        Shot(RECOMMEND, requests, {"duration_s": SECONDS, "concurrency": 1}),
        Shot(RECOMMEND, requests, {"duration_s": SECONDS, "concurrency": 8, "connections": 2}),
        Shot(RECOMMEND, requests, {"duration_s": SECONDS, "rate": 50.0}),
    )
