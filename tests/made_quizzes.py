"""Quizzes over a small catalogue, without servers: a ranking that always answers the same."""

from collections.abc import Callable, Sequence

import numpy as np

from libs.domain.decision import Purpose
from libs.domain.event import Event
from libs.domain.rejection import Rejection
from libs.domain.title import Title
from libs.models.retrieval_model import RetrievalModel
from libs.storage.recap.database import Database
from services.recap.outbox import Outbox
from services.recap.quiz.board import Boards
from services.recap.quiz.materials import Material
from services.recap.quiz.pack_shelf import NO_PACKS, PackShelf
from services.recap.quiz.quiz_store import QuizStore
from services.recap.quiz.quiz_token import QuizTokens
from services.recap.quiz.quizzes import Quizzes
from services.recap.quiz.selection import STOP_RULES, StopRules
from services.recap.quiz.title_traits import TitleTraits
from services.recap.ranking_client import Page, SlateQuery
from tests.made_bundle import catalogue, retrieval
from tests.made_recap import personal_tables_of


class HeldMaterial:
    """A tenant's material that is there from the beginning."""

    def __init__(self, current: Material) -> None:
        self.current = current

    async def filled(self, within_s: float) -> bool:
        return True


class SteadyRanking:
    """The same order for everybody; counts its LIVE pages."""

    def __init__(self, title_ids: Sequence[str]) -> None:
        self.title_ids = tuple(title_ids)
        self.live_count = 0
        self.queries: list[SlateQuery] = []

    async def recommend(self, tenant: str, query: SlateQuery, *, timeout_s: float) -> Page:
        page_id = ""
        self.queries.append(query)
        if query.purpose is Purpose.LIVE:
            self.live_count += 1
            page_id = f"page{self.live_count}" if query.profile_id else ""
        scores = np.linspace(2, -2, len(self.title_ids)).astype(np.float32)
        return Page(page_id, self.title_ids[: query.limit], scores[: query.limit], "", ())


class NoLog:
    """Events stay in the outbox."""

    async def record_events(self, tenant: str, events: Sequence[Event]) -> Sequence[Rejection]:
        raise AssertionError(events)


def material_of(
    titles: Sequence[Title],
    models: tuple[RetrievalModel, ...] = (),
    shelf: PackShelf = NO_PACKS,
) -> Material:
    by_id = {title.title_id: title for title in titles}
    return Material(1, by_id, TitleTraits.of(titles), models, (), shelf)


def made_quizzes(
    database: Database,
    now_ms: Callable[[], int],
    *,
    material: Material | None = None,
    rules: StopRules = STOP_RULES,
) -> tuple[Quizzes, SteadyRanking, HeldMaterial]:
    """Quizzes of one replica over a database, and what they rest on."""
    if material is None:
        material = material_of(list(catalogue().values()), (retrieval(),))
    held = HeldMaterial(material)
    ranking = SteadyRanking([title.title_id for title in material.traits.titles])
    quizzes = Quizzes(
        lambda tenant: held,
        ranking,
        QuizStore(database, personal_tables_of(database)),
        QuizTokens(b"t" * 32),
        Outbox(database, NoLog()),
        Boards(8),
        rules,
        now_ms,
    )
    return quizzes, ranking, held
