"""Who may call what: one table of all methods; what is not in it is refused."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from libs.faults import PermissionDenied
from libs.serving.identity import Caller, Context, Role

Identify: TypeAlias = Callable[[Context], Caller]

_SERVICES: Final = frozenset({Role.SERVICE})
_OPERATORS: Final = frozenset({Role.OPERATOR})
_INSIDE: Final = _SERVICES | _OPERATORS
_OUTSIDE: Final = frozenset({Role.VIEWER}) | _OPERATORS
_ALL: Final = frozenset(Role)

ALLOWED: Final[Mapping[str, frozenset[Role]]] = {
    "/reprise.events.v1.EventsService/RecordEvents": _ALL,
    "/reprise.events.v1.EventsService/StreamEvents": _OUTSIDE,
    "/reprise.events.v1.EventsService/RecordDecisions": _INSIDE,
    "/reprise.events.v1.EventsService/ListHistory": _ALL,
    "/reprise.events.v1.EventsService/ListHistoryColumns": _INSIDE,
    "/reprise.events.v1.EventsService/ListWatchedDays": _ALL,
    "/reprise.events.v1.EventsService/GetProfileFeatures": _INSIDE,
    "/reprise.events.v1.EventsService/GetTitleFeatures": _INSIDE,
    "/reprise.events.v1.EventsService/UpsertProfiles": _OPERATORS,
    "/reprise.events.v1.EventsService/GetProfiles": _ALL,
    "/reprise.events.v1.EventsService/ExportProfile": _OPERATORS,
    "/reprise.events.v1.EventsService/EraseProfile": _OPERATORS,
    "/reprise.privacy.v1.PersonalDataService/EraseProfileData": _SERVICES,
    "/reprise.privacy.v1.PersonalDataService/ExportProfileData": _SERVICES,
    "/reprise.candidates.v1.CandidatesService/RetrieveCandidates": _INSIDE,
    "/reprise.candidates.v1.CandidatesService/FindSimilarTitles": _ALL,
    "/reprise.candidates.v1.CandidatesService/UpsertTitles": _OPERATORS,
    "/reprise.candidates.v1.CandidatesService/DeleteTitles": _OPERATORS,
    "/reprise.candidates.v1.CandidatesService/GetTitles": _ALL,
    "/reprise.candidates.v1.CandidatesService/ListTitles": _ALL,
    "/reprise.candidates.v1.CandidatesService/WatchTitles": _INSIDE,
    "/reprise.candidates.v1.CandidatesService/GetIndexStatus": _INSIDE,
    "/reprise.ranking.v1.RankingService/Recommend": _ALL,
    "/reprise.recap.v1.RecapService/GetRecap": _ALL,
    "/reprise.recap.v1.RecapService/RecordRecaps": _OPERATORS,
    "/reprise.recap.v1.ShareService/PreviewShare": _ALL,
    "/reprise.recap.v1.ShareService/CreateShare": _ALL,
    "/reprise.recap.v1.ShareService/GetShared": _ALL,
    "/reprise.recap.v1.ShareService/RevokeShare": _ALL,
    "/reprise.recap.v1.StoryService/UpsertBeats": _OPERATORS,
    "/reprise.recap.v1.StoryService/ListBeats": _OPERATORS,
    "/reprise.recap.v1.StoryService/GetStoryRecap": _ALL,
    "/reprise.recap.v1.QuizService/OfferQuiz": _ALL,
    "/reprise.recap.v1.QuizService/DismissQuiz": _ALL,
    "/reprise.recap.v1.QuizService/StartQuiz": _ALL,
    "/reprise.recap.v1.QuizService/AnswerQuizQuestion": _ALL,
    # Contracts are no secret, but only those who may call something are told what there is.
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _ALL,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": _ALL,
}


class Gate:
    """Identifies the caller of each call and looks the method up.

    A stream is let in once, when it opens: one that outlives its token goes on.
    """

    def __init__(
        self, identify: Identify, allowed: Mapping[str, frozenset[Role]] = ALLOWED
    ) -> None:
        self._identify = identify
        self._allowed = allowed

    def authorize(self, method: str, context: Context) -> Caller:
        """Who calls `method` ("/package.Service/Method").

        Raises Unauthenticated, or PermissionDenied for a role that may not, and for every role
        where the table does not know the method.
        """
        caller = self._identify(context)
        allowed = self._allowed.get(method, frozenset())
        if caller.roles.isdisjoint(allowed):
            raise PermissionDenied(method, allowed)
        return caller
