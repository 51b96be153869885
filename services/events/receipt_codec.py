"""The receipt of an erasure as the contract has it."""

from libs.domain.erasure import Erasure
from libs.serving.decoding import timestamp
from reprise.events.v1 import events_pb2
from services.events.retraining import Retraining


def receipt(erasure: Erasure, retraining: Retraining) -> events_pb2.EraseProfileResponse:
    """The response that says it."""
    return events_pb2.EraseProfileResponse(
        erased_at=timestamp(erasure.erased_ms),
        is_complete=erasure.is_complete,
        event_count=erasure.event_count,
        decision_count=erasure.decision_count,
        title_count=erasure.title_count,
        had_profile=erasure.had_profile,
        services=[
            events_pb2.ServiceErasure(
                service=one.service,
                is_complete=one.is_complete,
                erased_count=one.erased_count,
                problem=one.problem,
            )
            for one in erasure.services
        ],
        bundle_versions=retraining.versions,
        next_bundle_due=None if retraining.due_ms is None else timestamp(retraining.due_ms),
    )
