"""Names of titles, and which titles the catalogue does not know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import grpc

from cli.calling import open_channel
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc

_CALL_S = 5.0
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class TitleNames:
    """Names by title id; where the catalogue could be asked, a title without one is unknown."""

    names: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False

    def of(self, title_id: str) -> str:
        """What to call a title: events takes any, so an id may be one that nobody knows."""
        if self.is_unknown(title_id):
            return f"{title_id} (unknown title)"
        return self.names.get(title_id, title_id)

    def is_unknown(self, title_id: str) -> bool:
        """Whether the catalogue was asked and has no such title."""
        return self.is_whole and bool(title_id) and title_id not in self.names


NO_NAMES: Final = TitleNames()


def title_names(settings: SuiteSettings, title_ids: Iterable[str]) -> TitleNames:
    """The names that candidates knows; without it titles are shown by their ids."""
    wanted = iter(sorted({title_id for title_id in title_ids if title_id}))
    names: dict[str, str] = {}
    try:
        opened = open_channel(settings, "candidates")
    except StartFault:
        return TitleNames()  # nobody here may ask
    with opened as channel:
        get = candidates_pb2_grpc.CandidatesServiceStub(channel).GetTitles
        while batch := list(islice(wanted, _BATCH)):
            try:
                answer = get(candidates_pb2.GetTitlesRequest(title_ids=batch), timeout=_CALL_S)
            except grpc.RpcError:
                return TitleNames(names)
            names.update((title.title_id, title.name) for title in answer.titles)
    return TitleNames(names, is_whole=True)
