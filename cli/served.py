"""Lists as the running services answer them, for measurement."""

from collections.abc import Sequence
from typing import Final

from cli.calling import open_channel
from cli.console import Output
from libs.serving.decoding import timestamp
from libs.serving.settings import SuiteSettings
from reprise.common.v1 import purpose_pb2
from reprise.ranking.v1 import ranking_pb2, ranking_pb2_grpc

CALL_S: Final = 30.0


def served_lists(
    settings: SuiteSettings,
    profile_ids: Sequence[str],
    at_ms: int,
    limit: int,
    output: Output,
) -> dict[str, tuple[str, ...]]:
    """The title ids that Recommend with purpose EVALUATION answers each profile at `at_ms`."""
    lists = {}
    with open_channel(settings, "ranking") as channel, output.progress() as bars:
        stub = ranking_pb2_grpc.RankingServiceStub(channel)
        task = bars.add_task("asking the services", total=len(profile_ids))
        for profile_id in profile_ids:
            request = ranking_pb2.RecommendRequest(
                profile_id=profile_id,
                limit=limit,
                purpose=purpose_pb2.PURPOSE_EVALUATION,
                request_time=timestamp(at_ms),
            )
            lists[profile_id] = tuple(stub.Recommend(request, timeout=CALL_S).title_ids)
            bars.advance(task)
    return lists
