"""Names of titles for tables."""

from collections.abc import Iterable
from itertools import islice

import grpc

from cli.calling import open_channel
from libs.serving.settings import SuiteSettings
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc

_CALL_S = 5.0
_BATCH = 1_000


def title_names(settings: SuiteSettings, title_ids: Iterable[str]) -> dict[str, str]:
    """The names that candidates knows; without it titles are shown by their ids."""
    wanted = iter(sorted({title_id for title_id in title_ids if title_id}))
    names: dict[str, str] = {}
    with open_channel(settings, "candidates") as channel:
        get = candidates_pb2_grpc.CandidatesServiceStub(channel).GetTitles
        while batch := list(islice(wanted, _BATCH)):
            try:
                answer = get(candidates_pb2.GetTitlesRequest(title_ids=batch), timeout=_CALL_S)
            except grpc.RpcError:
                return names
            names.update((title.title_id, title.name) for title in answer.titles)
    return names
